#include "router/offline/same_experts.h"

#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <cmath>

namespace pointsman::offline {
namespace {

constexpr double kSignificance = 0.05;

struct Sums {
  double count = 0, sum = 0, squares = 0;
  void Add(double x) {
    ++count;
    sum += x;
    squares += x * x;
  }
  // The squared z-value of the mean; 0 where nothing varies and the mean is 0.
  double ZSquared() const {
    const double mean = sum / count;
    const double variance = (squares - sum * mean) / (count - 1);
    if (variance <= 0) return mean == 0 ? 0 : 1e6;
    return mean * mean * count / variance;
  }
};

double PValue(double statistic, double freedom) {
  return boost::math::cdf(boost::math::complement(boost::math::chi_squared(freedom), statistic));
}

}  // namespace

std::vector<SameExperts> FindSameExperts(const Outcomes& outcomes) {
  std::vector<SameExperts> same;
  for (std::size_t a = 0; a < outcomes.experts.size(); ++a) {
    for (std::size_t b = a + 1; b < outcomes.experts.size(); ++b) {
      Sums all;
      std::vector<Sums> categories(outcomes.categories.size());
      double equal = 0;
      for (const Outcome& row : outcomes.rows) {
        const float x = row.scores[a], y = row.scores[b];
        if (std::isnan(x) || std::isnan(y)) continue;
        all.Add(x - y);
        categories[row.category].Add(x - y);
        equal += x == y;
      }
      if (all.count < kLeastSharedRows) continue;
      SameExperts pair{a, b, static_cast<std::size_t>(all.count), all.sum / all.count};
      pair.p_overall = PValue(all.ZSquared(), 1);
      double statistic = 0, freedom = 0;
      for (const Sums& category : categories) {
        if (category.count < kLeastCategoryRows) continue;
        statistic += category.ZSquared();
        ++freedom;
      }
      if (freedom > 0) pair.p_categories = PValue(statistic, freedom);
      if (pair.p_overall <= kSignificance || pair.p_categories <= kSignificance) continue;
      pair.agreement = equal / all.count;
      pair.duplicate = pair.agreement >= kDuplicateAgreement;
      same.push_back(pair);
    }
  }
  std::stable_sort(same.begin(), same.end(),
                   [](const SameExperts& x, const SameExperts& y) { return x.agreement > y.agreement; });
  return same;
}

}  // namespace pointsman::offline
