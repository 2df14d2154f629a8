// policies/choose.h: evidence + catalogue + request -> plan. Pure: no clock, no I/O, no randomness of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "policies/evidence.h"
#include "policies/plan.h"

namespace pointsman::policies {

// What a policy may know of a request.
struct RequestFacts {
  config::Capabilities needs = 0;           // what the expert must be able to do
  std::uint32_t prompt_tokens = 0;          // estimate
  std::optional<std::uint32_t> max_tokens;  // as asked for
  std::string expert;                       // pinned by name; "" = the policy decides
  std::vector<std::string> deny, require;   // names
  std::optional<double> max_cost_usd;
  std::optional<std::uint32_t> max_latency_ms;
};

struct Choice {
  Plan plan;
  std::string category;               // where the request was sent; "" when nothing was classified
  std::vector<Exclusion> exclusions;  // in the catalogue's order
};

// Tokens in a text, within about 25 % for English and code: what the capability filter reckons with. The backend counts
// exactly and refuses by itself.
std::uint32_t EstimateTokens(std::size_t bytes);

// Removes what cannot or must not answer (capability, context, deny, require, ceilings), then scores and orders the
// rest by `policy`. `evidence` may be null for a pinned expert and for policies that need none (NeedsEvidence).
// INVALID_ARGUMENT when a name is unknown or nobody is left; the message says which capability or limit was missing.
// Any thread.
Result<Choice> Choose(const config::Config& config, const config::Policy& policy, const RequestFacts& facts,
                      const Evidence* evidence);

// Whether it needs a classification, or a prediction of quality.
bool NeedsEvidence(const config::Policy& policy);
bool NeedsPrediction(const config::Policy& policy);

}  // namespace pointsman::policies
