// router/offline/policy_replay.h: what a plan would have answered, from rows that say what every expert answered.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "policies/gate/cascade_gate.h"
#include "policies/plan.h"
#include "router/offline/outcomes.h"

namespace pointsman::offline {

struct Replayed {
  double score = 0;  // of the answer that the client gets, [0, 1]
  double cost = 0;   // sum over the experts that were asked
  double asked = 0;  // experts
  double best = 0;   // the best score among the experts that were asked
};

// `outcome` is complete and has its answers; `cost` has a value for each expert. Nobody fails: of an Ask the first
// answers; of an Ensemble all do, and combine::Winner says whose answer counts. The plan has no cascade (its stages are
// replayed by Vote, below). Any thread.
Replayed Replay(const policies::Plan& plan, const Outcome& outcome, std::span<const double> cost);

// The weak side of a cascade whose signal is agreement: several experts answer, the most frequent answer is kept where
// enough of them agree.
struct WeakVote {
  Replayed answer;        // the most frequent one (gate::Agreement); of equals that of the first member
  double confidence = 0;  // the gate's, [0, 1]
};

// `members` are at least two experts, best first; `gate` reads agreement (gate::SignalGate("agreement")).
WeakVote Vote(std::span<const std::size_t> members, const gate::CascadeGate& gate, const Outcome& outcome,
              std::span<const double> cost);

}  // namespace pointsman::offline
