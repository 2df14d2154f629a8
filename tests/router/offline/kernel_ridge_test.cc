#include "router/offline/kernel_ridge.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace pointsman::offline {
namespace {

TEST(KernelRidge, SolvesItsEquations) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  const std::size_t n = 60, width = 9;
  Matrix points(n, 5), kernel(n, n), targets(n, width);
  for (float& x : points.data) x = normal(random);
  for (float& x : targets.data) x = normal(random);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t d = 0; d < 5; ++d) kernel.Row(i)[j] += points.Row(i)[d] * points.Row(j)[d];
    }
  }
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < n; i += 2) rows.push_back(i);
  const KernelFit fit = FitKernelRidge(kernel, targets, rows, 0.5);
  for (std::size_t a = 0; a < rows.size(); ++a) {
    const auto prediction = PredictKernelRidge(fit, kernel.Row(rows[a]));
    ASSERT_EQ(prediction.size(), width);
    for (std::size_t t = 0; t < width; ++t) {
      // K w + ridge w = y - mean  <=>  prediction + ridge w = y
      EXPECT_NEAR(prediction[t] + 0.5 * fit.weights.Row(a)[t], targets.Row(rows[a])[t], 0.02);
    }
  }
}

TEST(KernelRidge, WithoutInformationTheMeanIsPredicted) {
  const Matrix kernel(3, 3);  // nothing is like anything
  Matrix targets(3, 1);
  targets.data = {1, 2, 6};
  const KernelFit fit = FitKernelRidge(kernel, targets, {0, 1}, 1);
  EXPECT_NEAR(PredictKernelRidge(fit, kernel.Row(2))[0], 1.5, 1e-6);
}

}  // namespace
}  // namespace pointsman::offline
