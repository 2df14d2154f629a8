#include "router/offline/pair_curve.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "router/offline/random.h"

namespace pointsman::offline {
namespace {

double Quantile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(at);
  const std::size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (at - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

}  // namespace

Spread SpreadOf(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {std::sqrt(squares / n), Quantile(values, 0.025), Quantile(values, 0.975)};
}

std::vector<CurvePoint> PairCurve(std::span<const double> scores, std::span<const double> gains) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  const auto n = static_cast<double>(scores.size());
  const double gap = std::accumulate(gains.begin(), gains.end(), 0.0);
  std::vector<CurvePoint> curve = {{0, 0, std::numeric_limits<double>::infinity()}};
  double recovered = 0;
  for (std::size_t i = 0; i < order.size();) {
    const double score = scores[order[i]];
    for (; i < order.size() && scores[order[i]] == score; ++i) recovered += gains[order[i]];
    curve.push_back({static_cast<double>(i) / n, recovered / gap, score});
  }
  return curve;
}

double Area(std::span<const CurvePoint> curve) {
  double area = 0;
  for (std::size_t i = 1; i < curve.size(); ++i) {
    area += (curve[i].strong_share - curve[i - 1].strong_share) * (curve[i].recovered + curve[i - 1].recovered) / 2;
  }
  return area;
}

double ShareToRecover(std::span<const CurvePoint> curve, double recovered) {
  for (std::size_t i = 1; i < curve.size(); ++i) {
    if (curve[i].recovered < recovered) continue;
    const CurvePoint &from = curve[i - 1], &to = curve[i];
    const double part = (recovered - from.recovered) / (to.recovered - from.recovered);
    return from.strong_share + part * (to.strong_share - from.strong_share);
  }
  return 1;
}

PairFigures Figures(std::span<const double> scores, std::span<const double> gains) {
  const std::vector<CurvePoint> curve = PairCurve(scores, gains);
  return {Area(curve), ShareToRecover(curve, 0.5), ShareToRecover(curve, 0.8)};
}

PairSpreads Bootstrap(std::span<const double> scores, std::span<const double> gains, std::uint32_t resamples,
                      std::uint64_t seed) {
  SplitMix random(seed);
  std::vector<double> drawn_scores(scores.size()), drawn_gains(scores.size()), apgr, cpt50, cpt80;
  for (std::uint32_t r = 0; r < resamples; ++r) {
    double gap = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      const std::uint64_t drawn = random.Below(scores.size());
      drawn_scores[i] = scores[drawn];
      gap += drawn_gains[i] = gains[drawn];
    }
    if (gap <= 0) continue;
    const PairFigures figures = Figures(drawn_scores, drawn_gains);
    apgr.push_back(figures.apgr);
    cpt50.push_back(figures.cpt50);
    cpt80.push_back(figures.cpt80);
  }
  const auto counted = static_cast<std::uint32_t>(apgr.size());
  return {SpreadOf(std::move(apgr)), SpreadOf(std::move(cpt50)), SpreadOf(std::move(cpt80)), counted};
}

}  // namespace pointsman::offline
