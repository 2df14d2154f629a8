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

// What the request would cost at this expert, in US dollars: the prompt, plus all the tokens that it may generate.
// Unset when the expert has no price, or when nothing bounds the answer. Any thread.
std::optional<double> EstimateCost(const config::Expert& expert, const RequestFacts& facts);

}  // namespace pointsman::policies
