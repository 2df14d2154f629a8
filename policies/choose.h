// policies/choose.h: evidence + catalogue + request -> plan. Pure: no clock, no I/O, no randomness of its own.
//
// The order of the decision: capabilities and limits, then masks, then the scores, boosts, selection, run. A pin beats
// the context (masks and limits), and that beats what was learned; each step leaves its reason in the choice.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
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
  std::vector<std::pair<std::string, double>> boost;
  std::optional<double> max_cost_usd;
  std::optional<std::uint32_t> max_latency_ms;
  const config::Mask* tenant = nullptr;  // of the caller; null = none
  double random = 0;                     // uniform in [0, 1), drawn for this request
  std::optional<double> mass;            // where a controller holds the mean size of top-p sets: p
  // Experts that cannot answer this request for a reason that is not in its facts, by the catalogue's order; "" = can.
  // Empty = all can. (A copy expert without a stored answer that is near enough.)
  std::vector<std::string> cannot;
};

struct Choice {
  Plan plan;
  std::string_view category;          // where the request was sent; "" when nothing was classified. Points into the
                                      // evidence's categories or is a constant
  std::vector<Exclusion> exclusions;  // in the catalogue's order
  bool selected = false;              // by top_k or top_p; then:
  std::size_t models = 0, nulls = 0;  // how many of the selected are experts, and how many null experts
  double mass = 0;                    // top_p: the p that was used
  bool over_budget = false;           // the budget allowed another set than the rule alone
  bool otherwise = false;             // nobody else could answer, or null experts alone were selected
};

// Tokens in a text, within about 25 % for English and code: what the capability filter reckons with. The backend counts
// exactly and refuses by itself.
std::uint32_t EstimateTokens(std::size_t bytes);

// The plan of `policy` for a request. `evidence` may be null for a pinned expert and for policies that need none
// (NeedsEvidence). INVALID_ARGUMENT when a name is unknown or nobody is left; the message says which capability or
// limit was missing. Any thread; allocates what the choice holds.
Result<Choice> Choose(const config::Config& config, const config::Policy& policy, const RequestFacts& facts,
                      const Evidence* evidence);

// Whether it needs a classification, a prediction of quality, or the gates' logits.
bool NeedsEvidence(const config::Policy& policy);
bool NeedsPrediction(const config::Policy& policy);
bool NeedsGates(const config::Policy& policy);

}  // namespace pointsman::policies
