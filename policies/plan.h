// policies/plan.h: what to run for one request. Plain data; a policy is a pure function that makes one (design, section
// 3).
#pragma once

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

namespace pointsman::policies {

struct Candidate {
  std::size_t expert = 0;  // index into config::Config::experts
  double score = 0;        // higher is better; comparable inside one decision only
};

// Ask the first; the next one when it fails before its first token. Never empty.
struct Ask {
  std::vector<Candidate> candidates;
};

using Plan = std::variant<Ask>;

// An expert that could not be a candidate.
struct Exclusion {
  std::size_t expert = 0;
  std::string reason;
};

}  // namespace pointsman::policies
