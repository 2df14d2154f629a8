#include "router/offline/nonnegative.h"

#include <gtest/gtest.h>

namespace pointsman::offline {
namespace {

TEST(NonNegative, IsTheFreeSolutionWhereThatIsNotNegative) {
  const std::vector<double> g = {2, 1, 1, 3}, c = {4, 7};
  const std::vector<double> w = NonNegative(g, c, 0);
  EXPECT_NEAR(w[0], 1, 1e-9);
  EXPECT_NEAR(w[1], 2, 1e-9);
}

TEST(NonNegative, SetsToZeroWhatWouldBeNegativeAndFitsTheRest) {
  const std::vector<double> g = {2, 1, 1, 2}, c = {4, -1};  // free: (3, -2)
  const std::vector<double> w = NonNegative(g, c, 0);
  EXPECT_NEAR(w[0], 2, 1e-9);
  EXPECT_EQ(w[1], 0);
}

TEST(NonNegative, LeavesOutVariablesThatSayNothing) {
  const std::vector<double> g = {1e-20, 0, 0, 1}, c = {1e-5, 0.5};
  const std::vector<double> w = NonNegative(g, c, 1e-9);
  EXPECT_EQ(w[0], 0);
  EXPECT_NEAR(w[1], 0.5, 1e-12);
}

TEST(SolveDense, SolvesForEveryColumn) {
  const std::vector<double> x = SolveDense({4, 2, 2, 3}, {8, 4, 7, 6}, 2);
  EXPECT_NEAR(4 * x[0] + 2 * x[2], 8, 1e-12);
  EXPECT_NEAR(2 * x[0] + 3 * x[2], 7, 1e-12);
  EXPECT_NEAR(4 * x[1] + 2 * x[3], 4, 1e-12);
  EXPECT_NEAR(2 * x[1] + 3 * x[3], 6, 1e-12);
}

}  // namespace
}  // namespace pointsman::offline
