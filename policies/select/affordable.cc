#include "policies/select/affordable.h"

#include <algorithm>
#include <array>

namespace pointsman::select {
namespace {

constexpr double kRounding = 1e-12;

struct Search {
  std::span<const double> probabilities;
  std::span<const Costs> costs;
  std::size_t most;
  std::array<std::size_t, kMostWeighed> chosen{}, best{};
  std::size_t count = 0, best_count = 0;
  double best_sum = 0;

  // The most that places may still bring from `next` on: the next ones are the most probable.
  double Bound(std::size_t next) const {
    double sum = 0;
    const std::size_t end = std::min(probabilities.size(), next + (most - count));
    for (std::size_t i = next; i < end; ++i) sum += probabilities[i];
    return sum;
  }

  void Visit(std::size_t next, double sum, Ceilings left) {
    if (sum > best_sum + kRounding) {
      best_sum = sum;
      best = chosen;
      best_count = count;
    }
    if (next == probabilities.size() || count == most || sum + Bound(next) <= best_sum + kRounding) return;
    if (costs[next].price <= left.price && costs[next].energy <= left.energy) {
      chosen[count++] = next;
      Visit(next + 1, sum + probabilities[next], {left.price - costs[next].price, left.energy - costs[next].energy});
      --count;
    }
    Visit(next + 1, sum, left);
  }
};

}  // namespace

std::vector<std::size_t> BestAffordable(std::span<const double> probabilities, std::span<const Costs> costs,
                                        const Ceilings& ceilings, std::size_t most) {
  const std::size_t weighed = std::min(probabilities.size(), kMostWeighed);
  Search search{probabilities.first(weighed), costs.first(weighed), std::min(most, weighed)};
  search.best_sum = -1;
  search.Visit(0, 0, ceilings);
  return {search.best.begin(), search.best.begin() + static_cast<std::ptrdiff_t>(search.best_count)};
}

}  // namespace pointsman::select
