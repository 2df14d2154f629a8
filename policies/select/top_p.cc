#include "policies/select/top_p.h"

#include <algorithm>

namespace pointsman::select {
namespace {

constexpr double kRounding = 1e-9;

}  // namespace

std::size_t CountToReach(const TopP& rule, std::span<const double> probabilities) {
  const std::size_t most = std::min(std::max<std::size_t>(rule.most, 1), probabilities.size());
  double sum = 0;
  for (std::size_t count = 0; count < most; ++count) {
    sum += probabilities[count];
    if (sum >= rule.mass - kRounding) return count + 1;
  }
  return most;
}

}  // namespace pointsman::select
