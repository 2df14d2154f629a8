#include "router/offline/binary_metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include "router/offline/random.h"

namespace pointsman::offline {
namespace {

constexpr std::size_t kBins = 15;

struct Ranked {
  double area = 0.5;
  bool both = false;  // some are right, some wrong
};

// `order` sorts the scores, ascending; `count` says how often each value counts.
Ranked AreaOf(std::span<const double> scores, std::span<const double> right, const std::vector<std::size_t>& order,
              std::span<const std::uint32_t> count) {
  double wrong_below = 0, pairs = 0, rights = 0, wrongs = 0;
  for (std::size_t i = 0; i < order.size();) {
    const double score = scores[order[i]];
    double right_here = 0, wrong_here = 0;
    for (; i < order.size() && scores[order[i]] == score; ++i) {
      (right[order[i]] >= 0.5 ? right_here : wrong_here) += count[order[i]];
    }
    pairs += right_here * (wrong_below + wrong_here / 2);
    wrong_below += wrong_here;
    rights += right_here;
    wrongs += wrong_here;
  }
  if (rights == 0 || wrongs == 0) return {};
  return {pairs / (rights * wrongs), true};
}

std::vector<std::size_t> Order(std::span<const double> scores) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  return order;
}

}  // namespace

double Auroc(std::span<const double> scores, std::span<const double> right) {
  const std::vector<std::uint32_t> once(scores.size(), 1);
  return AreaOf(scores, right, Order(scores), once).area;
}

double CalibrationError(std::span<const double> probabilities, std::span<const double> right) {
  std::array<double, kBins> difference{};
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    const auto bin = std::min(static_cast<std::size_t>(probabilities[i] * kBins), kBins - 1);
    difference[bin] += probabilities[i] - right[i];
  }
  double sum = 0;
  for (const double value : difference) sum += std::abs(value);
  return probabilities.empty() ? 0 : sum / static_cast<double>(probabilities.size());
}

Spread BootstrapAuroc(std::span<const double> scores, std::span<const double> right, std::uint32_t resamples,
                      std::uint64_t seed) {
  SplitMix random(seed);
  const std::vector<std::size_t> order = Order(scores);
  std::vector<double> areas;
  std::vector<std::uint32_t> count(scores.size());
  for (std::uint32_t r = 0; r < resamples; ++r) {
    std::fill(count.begin(), count.end(), 0U);
    for (std::size_t i = 0; i < scores.size(); ++i) ++count[random.Below(scores.size())];
    const Ranked ranked = AreaOf(scores, right, order, count);
    if (ranked.both) areas.push_back(ranked.area);
  }
  return SpreadOf(std::move(areas));
}

}  // namespace pointsman::offline
