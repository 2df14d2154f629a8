// policies/plan.h: what to run for one request. Plain data; a policy is a pure function that makes one (design, section
// 3).
#pragma once

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "config/config.h"

namespace pointsman::policies {

struct Candidate {
  std::size_t expert = 0;  // index into config::Config::experts
  double score = 0;        // higher is better; comparable inside one decision only
  double probability = 0;  // what selection made of the score, [0, 1]; 0 where nothing was selected by it
};

inline constexpr std::size_t kMostCandidates = 16;  // that a plan holds

// A zero-cost expert answers by itself.
struct Reply {
  Candidate expert;
};

// Ask the first; the next one when it fails before its first token. Never empty.
struct Ask {
  std::vector<Candidate> candidates;
};

struct Member {
  Candidate candidate;
  double weight = 0;  // in the vote, (0, 1]; those of an ensemble sum to 1
};

// Ask all members at once and combine their answers; when none of them answers, the fallback in its order.
struct Ensemble {
  std::vector<Member> members;  // best first; at least two
  config::Combine combine = config::Combine::kVote;
  std::vector<Candidate> fallback;
};

// Ask the weak experts one after the other, each up to its gate; when no gate keeps an answer, go on with `strong`.
struct Cascade {
  std::vector<std::size_t> stages;  // indices into the policy's `cascade`; at least one
  std::variant<Ask, Ensemble> strong;
};

using Plan = std::variant<Reply, Ask, Ensemble, Cascade>;

// An expert that could not be a candidate.
struct Exclusion {
  std::size_t expert = 0;
  std::string reason;
};

// The expert that is asked first when all goes well: of a cascade the last one, whose answer is the best.
const Candidate& First(const Plan& plan);

}  // namespace pointsman::policies
