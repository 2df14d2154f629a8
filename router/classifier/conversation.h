// router/classifier/conversation.h: what a request is about, told by its last turn, its history and its system prompt.
#pragma once

#include <string_view>

#include "policies/evidence.h"
#include "router/classifier/classifier.h"

namespace pointsman::classifier {

// The texts of a request, UTF-8; "" where there is none.
struct Conversation {
  std::string_view system;   // the system prompt
  std::string_view history;  // the user's earlier turns, the latest last
  std::string_view last;     // the user's last turn
};

// How probably the last turn is about what another part is about, [0, 1]; 0 = the part is not read.
struct PartWeights {
  double system = 0.3;
  double history = 0.7;
};

// Classifies the parts one by one. A conversation keeps to its subject with probability w, else it turns to any of the
// C categories; by Bayes' rule
//   p(c) ~ p_last(c) * prod over the other parts of (w p_part(c) + (1 - w) / C)
// so a follow-up ("why?") inherits, and what the history says is bounded: a turn that is certain of itself changes the
// subject. A part that is foreign (of none of the categories) says nothing: its factor is constant, the last turn's
// own too if the history is not foreign. The request is foreign when its last turn is and it has no history, or a
// foreign one; its novelty is that of the part which decides so. `bytes_read` and `bytes_total` count all parts;
// `parts` describes them when there is more than the last turn. Any thread.
policies::Evidence Classify(const Classifier& classifier, const Conversation& conversation, const PartWeights& weights);

}  // namespace pointsman::classifier
