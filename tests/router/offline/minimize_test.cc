#include "router/offline/minimize.h"

#include <gtest/gtest.h>

#include <cmath>

namespace pointsman::offline {
namespace {

TEST(Minimize, FindsTheMinimumOfABadlyScaledQuadratic) {
  const Objective objective = [](std::span<const double> x, std::span<double> gradient) {
    double value = 3;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double scale = std::pow(10.0, static_cast<double>(i) / 5), off = x[i] - static_cast<double>(i);
      value += 0.5 * scale * off * off;
      gradient[i] = scale * off;
    }
    return value;
  };
  std::vector<double> x(20, -1.0);
  EXPECT_NEAR(Minimize(objective, x, 500, 0), 3, 1e-9);
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(x[i], static_cast<double>(i), 1e-4);
}

TEST(Minimize, NeverGoesUpOnAFunctionThatIsNotConvex) {
  const Objective rosenbrock = [](std::span<const double> x, std::span<double> gradient) {
    const double a = 1 - x[0], b = x[1] - x[0] * x[0];
    gradient[0] = -2 * a - 400 * x[0] * b;
    gradient[1] = 200 * b;
    return a * a + 100 * b * b;
  };
  std::vector<double> x = {-1.2, 1};
  double last = 24.2;
  for (int i = 0; i < 60; ++i) {
    const double value = Minimize(rosenbrock, x, 2, 0);
    EXPECT_LE(value, last);
    last = value;
  }
  EXPECT_NEAR(Minimize(rosenbrock, x, 1000, 0), 0, 1e-8);
}

TEST(Minimize, StaysAtAMinimum) {
  const Objective objective = [](std::span<const double> x, std::span<double> gradient) {
    gradient[0] = 2 * x[0];
    return x[0] * x[0];
  };
  std::vector<double> x = {0};
  EXPECT_EQ(Minimize(objective, x, 10, 1e-9), 0);
  EXPECT_EQ(x[0], 0);
}

}  // namespace
}  // namespace pointsman::offline
