#include "router/offline/values.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <random>

namespace pointsman::offline {
namespace {

std::vector<std::size_t> All(const Outcomes& outcomes) {
  std::vector<std::size_t> rows(outcomes.rows.size());
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

// Rows of `counts[c]` requests in category c; expert m is right with probability chance(c, m).
template <class Chance>
Outcomes Draw(const std::vector<int>& counts, std::size_t experts, Chance chance, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> unit(0, 1);
  Outcomes outcomes;
  for (std::size_t m = 0; m < experts; ++m) outcomes.experts.push_back("e" + std::to_string(m));
  for (std::size_t c = 0; c < counts.size(); ++c) {
    outcomes.categories.push_back("c" + std::to_string(c));
    for (int i = 0; i < counts[c]; ++i) {
      Outcome row{"", static_cast<std::uint32_t>(c), "", {}};
      for (std::size_t m = 0; m < experts; ++m) row.scores.push_back(unit(random) < chance(c, m) ? 1 : 0);
      outcomes.rows.push_back(row);
    }
  }
  std::shuffle(outcomes.rows.begin(), outcomes.rows.end(), random);
  return outcomes;
}

TEST(Values, ManyRowsGiveTheCellMeans) {
  const auto chance = [](std::size_t c, std::size_t m) { return 0.3 + 0.4 * (c == m); };
  const Outcomes outcomes = Draw({4000, 4000, 2000}, 3, chance, 1);
  const Values values = EstimateValues(outcomes, All(outcomes));
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t m = 0; m < 3; ++m) EXPECT_NEAR(values.value[c][m], chance(c, m), 0.03) << c << m;
  }
  EXPECT_NEAR(values.share[2], 0.2, 1e-12);
  EXPECT_EQ(values.rows[2][0], 2000U);
  EXPECT_GT(values.spread, 0.1);
}

TEST(Values, FewRowsLeanToTheExpertsMean) {
  // Expert 0 is best everywhere; in the category of 12 rows it happened to be wrong each time.
  Outcomes outcomes = Draw(
      {1000, 1000, 1000}, 2, [](std::size_t, std::size_t m) { return m == 0 ? 0.7 : 0.5; }, 2);
  outcomes.categories.push_back("c3");
  for (int i = 0; i < 12; ++i) outcomes.rows.push_back({"", 3, "", {0, i % 2 ? 1.0F : 0.0F}});
  const Values values = EstimateValues(outcomes, All(outcomes));
  EXPECT_GT(values.value[3][0], 0.15);
  EXPECT_GT(values.deviation[3][0] + 1e-12, values.deviation[0][0]);
  EXPECT_NEAR(values.value[0][0] - values.value[0][1], 0.2, 0.06);
}

TEST(Values, WithoutDifferencesBetweenCategoriesShrinkageIsWorthIt) {
  const auto chance = [](std::size_t, std::size_t m) { return 0.4 + 0.05 * static_cast<double>(m); };
  double raw = 0, shrunken = 0;
  for (unsigned seed = 0; seed < 10; ++seed) {
    const Outcomes outcomes = Draw(std::vector<int>(20, 30), 4, chance, seed);
    const Values values = EstimateValues(outcomes, All(outcomes));
    for (std::size_t c = 0; c < 20; ++c) {
      for (std::size_t m = 0; m < 4; ++m) {
        double mean = 0;
        for (const Outcome& row : outcomes.rows) mean += row.category == c ? row.scores[m] / 30 : 0;
        raw += std::pow(mean - chance(c, m), 2);
        shrunken += std::pow(values.value[c][m] - chance(c, m), 2);
      }
    }
  }
  EXPECT_LT(shrunken, raw / 4);
}

TEST(Values, WorksWithOneExpertARequestAndWithCellsThatHaveNoRow) {
  Outcomes outcomes;
  outcomes.experts = {"a", "b"};
  outcomes.categories = {"x", "y"};
  const float none = std::numeric_limits<float>::quiet_NaN();
  for (int i = 0; i < 100; ++i) {
    outcomes.rows.push_back({"", 0, "", {i % 10 < 8 ? 1.0F : 0.0F, none}});
    outcomes.rows.push_back({"", 0, "", {none, i % 10 < 4 ? 1.0F : 0.0F}});
    outcomes.rows.push_back({"", 1, "", {i % 10 < 3 ? 1.0F : 0.0F, none}});
  }
  const Values values = EstimateValues(outcomes, All(outcomes));
  EXPECT_NEAR(values.value[0][0], 0.8, 0.1);
  EXPECT_NEAR(values.value[0][1], 0.4, 0.1);
  EXPECT_EQ(values.rows[1][1], 0U);
  EXPECT_LT(values.value[1][1], values.value[1][0]);  // worse in x, so expected to be worse in y
}

}  // namespace
}  // namespace pointsman::offline
