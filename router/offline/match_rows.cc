#include "router/offline/match_rows.h"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>

namespace pointsman::offline {

std::vector<Match> MatchAll(std::span<const KnownQuestion> asked, std::span<const KnownQuestion> stored,
                            const MatchScore& score) {
  std::vector<Match> matches(asked.size());
  for (std::size_t a = 0; a < asked.size(); ++a) {
    if (!asked[a].question) continue;
    for (std::size_t s = 0; s < stored.size(); ++s) {
      if (!stored[s].question || &stored[s] == &asked[a]) continue;
      const double value = score(*asked[a].question, *stored[s].question);
      if (value > matches[a].score) {
        matches[a] = {value, Same(asked[a], stored[s]), static_cast<std::uint32_t>(s)};
      }
    }
  }
  return matches;
}

std::vector<v1::MatchPoint> CurveOf(std::span<const Match> matches) {
  constexpr double kRisk = 0.05;
  std::vector<Match> found;
  for (const Match& match : matches) {
    if (match.score >= 0) found.push_back(match);
  }
  std::sort(found.begin(), found.end(), [](const Match& a, const Match& b) { return a.score > b.score; });
  std::vector<v1::MatchPoint> curve;
  std::size_t right = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    right += found[i].right ? 1 : 0;
    if (i + 1 < found.size() && found[i + 1].score == found[i].score) continue;
    const auto n = static_cast<double>(i + 1);
    v1::MatchPoint point;
    point.set_threshold(found[i].score);
    point.set_precision(static_cast<double>(right) / n);
    using Binomial = boost::math::binomial_distribution<double>;
    point.set_precision_bound(right == 0 ? 0 : Binomial::find_lower_bound_on_p(n, static_cast<double>(right), kRisk));
    point.set_recall(static_cast<double>(right) / static_cast<double>(matches.size()));
    curve.push_back(point);
  }
  return curve;
}

std::vector<v1::MatchPoint> Useful(std::span<const v1::MatchPoint> curve) {
  std::vector<v1::MatchPoint> useful;
  double best = 0;
  for (auto point = curve.rbegin(); point != curve.rend(); ++point) {
    if (point->precision_bound() <= best) continue;
    best = point->precision_bound();
    useful.push_back(*point);
  }
  std::reverse(useful.begin(), useful.end());
  return useful;
}

const v1::MatchPoint* PointFor(std::span<const v1::MatchPoint> curve, double precision, bool bound) {
  const v1::MatchPoint* best = nullptr;
  for (const v1::MatchPoint& point : curve) {
    if ((bound ? point.precision_bound() : point.precision()) >= precision) best = &point;
  }
  return best;
}

}  // namespace pointsman::offline
