// policies/score/random.h: the honest control arm: experts in an order that only chance decides (THOR, arXiv
// 2110.04260, section 3.1, routes so in training; as an arm every other policy must beat it).
#pragma once

#include <vector>

#include "config/config.h"
#include "policies/plan.h"

namespace pointsman::score {

// The experts that are not excluded in a uniformly random order, all with the score 1 / count. `random` in [0, 1) is
// the request's: equal numbers give equal orders. Pure, any thread.
std::vector<policies::Candidate> AtRandom(const config::Experts& experts, double random,
                                          const std::vector<bool>& excluded);

}  // namespace pointsman::score
