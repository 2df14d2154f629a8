#include "router/offline/budget.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace pointsman::offline {
namespace {

constexpr double kNoLimit = std::numeric_limits<double>::infinity();

TEST(Budget, TheCheaperOfEqualsAndTheCheapestWhenNothingIsLeft) {
  const std::vector<float> values = {0.5F, 0.5F, 0.9F};
  const std::vector<double> cost = {7, 3, 70};
  EXPECT_EQ(BestFor(values, cost, 0, kNoLimit), 2U);
  EXPECT_EQ(BestFor(values, cost, 0, 50), 1U);
  EXPECT_EQ(BestFor(values, cost, 0.1, kNoLimit), 1U);
  EXPECT_EQ(BestFor(values, cost, 0, 1), 1U);
}

TEST(Budget, TheMeanNeverExceedsTheBudgetAndEndsNearIt) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> unit(0, 1);
  const std::vector<double> cost = {4, 21, 70};
  for (const double start : {0.0005, 0.003, 0.02}) {  // too small, about right, too large
    BudgetPacer pacer(20, start);
    for (int t = 1; t <= 3000; ++t) {
      pacer.Choose(
          std::vector<float>{0.3F + 0.2F * unit(random), 0.4F + 0.2F * unit(random), 0.5F + 0.2F * unit(random)}, cost);
      ASSERT_LE(pacer.spent(), 20.0 * t + 1e-6);
    }
    EXPECT_GT(pacer.spent() / 3000, 19) << start;
  }
}

TEST(Budget, WithRoomTheBestIsTaken) {
  BudgetPacer pacer(100, 0);
  for (int t = 0; t < 10; ++t) EXPECT_EQ(pacer.Choose(std::vector<float>{0.1F, 0.2F}, {1, 70}), 1U);
}

}  // namespace
}  // namespace pointsman::offline
