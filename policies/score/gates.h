// policies/score/gates.h: experts by what their own gates say of the request (PHATGOOSE, arXiv 2402.05859, section 3.2,
// at the level of requests).
#pragma once

#include <vector>

#include "config/config.h"
#include "policies/evidence.h"
#include "policies/plan.h"

namespace pointsman::score {

// The experts that have a logit, best first, of equals the first in the catalogue; the score is the logit. A zero-cost
// expert without a gate has its configured score. Excluded experts are not there. `evidence.gates` and `excluded` have
// a value for each expert of `config`. Pure, any thread.
std::vector<policies::Candidate> ByGates(const config::Config& config, const policies::Evidence& evidence,
                                         const std::vector<bool>& excluded);

}  // namespace pointsman::score
