// policies/select/top_p.h: how many experts to ask (dynamic top-p routing, arXiv 2403.07652, section 3.1).
#pragma once

#include <cstddef>
#include <span>

namespace pointsman::select {

struct TopP {
  double mass = 0.4;     // probability to reach, in (0, 1]; the paper's p
  std::size_t most = 3;  // cap on the set, >= 1; ours: the paper has none
};

// `probabilities` are sorted, highest first, and sum to 1. Returns how many of them, from the front, reach
// `rule.mass`: at least 1 (0 of none), at most `rule.most`. A sum that misses the mass by no more than rounding
// (1e-9) has reached it: the paper's code then keeps every expert, and a set that equals the mass exactly grows by one
// there, because it compares with ">" and includes the expert that crosses. Any thread, no allocation.
std::size_t CountToReach(const TopP& rule, std::span<const double> probabilities);

}  // namespace pointsman::select
