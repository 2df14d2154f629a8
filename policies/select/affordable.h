// policies/select/affordable.h: the best set of experts that a budget allows.
//
// MoE^2 (arXiv 2501.09410; algorithms as in its overview): what an expert contributes is its routing probability, which
// stays the same for every subset, so that gates are trained once and the subset is chosen afterwards. Latency bounds
// each expert by itself (they answer at the same time) and is filtered before; price and energy add up: a knapsack.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace pointsman::select {

inline constexpr std::size_t kMostWeighed = 20;  // candidates, the most probable ones

struct Costs {
  double price = 0, energy = 0;  // >= 0
};

struct Ceilings {
  double price = 0, energy = 0;  // infinity = none
};

// The set of at most `most` candidates with the largest sum of probabilities whose costs keep both ceilings, as indices
// in ascending order; of equals the one that is first in lexical order. Empty when nobody is affordable. Exact among
// the first kMostWeighed, by branch and bound. `probabilities` are sorted, highest first; `costs` belong to them. Any
// thread.
std::vector<std::size_t> BestAffordable(std::span<const double> probabilities, std::span<const Costs> costs,
                                        const Ceilings& ceilings, std::size_t most);

}  // namespace pointsman::select
