// policies/candidates.h: who may answer at all, before anybody is scored.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "policies/choose.h"
#include "policies/plan.h"

namespace pointsman::policies {

// Why `expert` cannot be a candidate for a request with these facts, for people; "" when it can. Any thread.
std::string WhyNot(const config::Expert& expert, const RequestFacts& facts);

// Likewise of the masks and ceilings of the policy and the tenant. `expert` is a place in the catalogue. Any thread.
std::string WhyMasked(const config::Config& config, std::size_t expert, const config::Policy& policy,
                      const RequestFacts& facts);

// Joules for the request, estimated like the cost; unset when the expert has no energy, or nothing bounds the answer.
std::optional<double> EstimateEnergy(const config::Expert& expert, const RequestFacts& facts);

// What the request would cost at this expert, in US dollars: the prompt, plus all the tokens that it may generate.
// Unset when the expert has no price, or when nothing bounds the answer. Any thread.
std::optional<double> EstimateCost(const config::Expert& expert, const RequestFacts& facts);

}  // namespace pointsman::policies
