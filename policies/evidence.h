// policies/evidence.h: what the classifier says of a request. Plain data, any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace pointsman::policies {

enum class ConversationPart { kLastTurn, kHistory, kSystem };

// What one part of a conversation says by itself.
struct PartEvidence {
  ConversationPart part = ConversationPart::kLastTurn;
  double weight = 0;  // how probably the request is about what the part is about, [0, 1]; 0: it says nothing
  std::size_t likeliest = 0;
  double probability = 0;  // of the likeliest
};

struct Evidence {
  // C categories and their calibrated probabilities, in the artifact's order. `categories` points into the classifier,
  // which outlives the evidence.
  std::span<const std::string> categories;
  std::vector<float> probabilities;  // C values, sum 1

  std::size_t likeliest = 0;     // index of the largest probability; the first of equals
  double entropy = 0;            // -sum p ln p, nats
  double entropy_threshold = 0;  // nats
  double novelty = 0;            // how little the text is like the rows of training; larger is stranger
  double novelty_threshold = 0;
  bool foreign = false;                // of none of the categories: novelty > novelty_threshold
  double contradiction = 0;            // how little the parts of a longer text believe each other (contradiction.h)
  double contradiction_threshold = 0;  // 0: not measured
  bool mixed = false;      // contradiction > contradiction_threshold: its parts are about different categories
  bool uncertain = false;  // foreign, mixed, or entropy > entropy_threshold

  // What a predictor says, where the policy asks one: the expected quality of each expert of the configuration, in its
  // order; NaN for an expert that the predictor does not know. Empty without a predictor.
  std::vector<float> quality;
  double gain_threshold = 0;  // for a pair: the strong expert answers when its quality is so much higher, or more

  // What the gates of a policy say (router/classifier/expert_gates.h): the logit of each expert of the configuration,
  // in its order; NaN for an expert without a gate. Empty without gates.
  std::vector<float> gates;

  std::vector<PartEvidence> parts;  // of a conversation; empty where the last turn is all that was read

  std::size_t bytes_read = 0;  // of the prompt's text
  std::size_t bytes_total = 0;
};

}  // namespace pointsman::policies
