// policies/score/predicted.h: experts by their predicted quality and their cost; or two of them by the predicted gain
// (RouteLLM, arXiv 2406.18665, section 3: the strong one where its predicted win is above a threshold).
#pragma once

#include <vector>

#include "config/config.h"
#include "policies/choose.h"
#include "policies/evidence.h"
#include "policies/plan.h"

namespace pointsman::score {

// The experts that the evidence has a quality of, best first; of equals the first in the catalogue. The score is
// quality - lambda * cost. With a pair: the strong one first when strong quality - weak quality >= the evidence's
// gain_threshold, else the weak one, and only these two; the score is the quality. `evidence.quality` has a value for
// each expert of `config`. Pure, any thread.
std::vector<policies::Candidate> ByPrediction(const config::Config& config, const config::Predicted& rule,
                                              const policies::RequestFacts& facts, const policies::Evidence& evidence);

// What answering the request would cost at `expert`, in units of `cost`; an answer that nothing bounds counts as 1,024
// tokens. An expert without a price or size (the configuration's check finds it) costs nothing.
double CostOf(const config::Expert& expert, config::Cost cost, const policies::RequestFacts& facts);

}  // namespace pointsman::score
