#include "router/offline/budget.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace pointsman::offline {

std::size_t BestFor(std::span<const float> values, const std::vector<double>& cost, double weight, double most) {
  std::optional<std::size_t> best;
  double best_value = 0;
  for (std::size_t m = 0; m < values.size(); ++m) {
    if (cost[m] > most) continue;
    const double value = values[m] - weight * cost[m];
    if (best && (value < best_value || (value == best_value && cost[m] >= cost[*best]))) continue;
    best = m;
    best_value = value;
  }
  if (best) return *best;
  return static_cast<std::size_t>(std::min_element(cost.begin(), cost.end()) - cost.begin());
}

std::size_t BudgetPacer::Choose(std::span<const float> values, const std::vector<double>& cost) {
  const double over = spent_ / budget_ - static_cast<double>(requests_);  // in requests' budgets
  ++requests_;
  const double weight = weight_ * std::exp(std::min(kGain * (over + kReserve), 50.0));
  const double left = budget_ * static_cast<double>(requests_) - spent_;
  const std::size_t chosen = BestFor(values, cost, weight, left);
  spent_ += cost[chosen];
  return chosen;
}

}  // namespace pointsman::offline
