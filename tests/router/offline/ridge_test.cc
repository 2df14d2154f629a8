#include "router/offline/ridge.h"

#include <gtest/gtest.h>

#include <numeric>

#include "router/offline/nonnegative.h"
#include "router/offline/random.h"

namespace pointsman::offline {
namespace {

TEST(Ridge, MeetsTheClosedFormOnChosenRowsForEveryPenaltyAndMoreTargetsThanABlock) {
  constexpr std::size_t kRows = 40, kColumns = 12, kTargets = 11;
  SplitMix random(5);
  const auto value = [&] { return static_cast<float>(random.Below(2001)) / 1000 - 1; };
  SparseRows x;
  x.columns = kColumns;
  std::vector<float> y;
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::uint32_t c = 0; c < kColumns; ++c) {
      if (random.Below(3) == 0) continue;
      x.column.push_back(c);
      x.value.push_back(value());
    }
    x.begin.push_back(x.column.size());
    for (std::size_t t = 0; t < kTargets; ++t) y.push_back(value());
  }
  std::vector<std::uint32_t> rows(30);
  std::iota(rows.begin(), rows.end(), 5U);
  const double penalties[] = {20, 0.5};
  const std::vector<RidgeWeights> fits = FitRidge(x, rows, y, kTargets, penalties);
  ASSERT_EQ(fits.size(), 2U);
  for (std::size_t p = 0; p < 2; ++p) {
    std::vector<double> a(kColumns * kColumns), b(kColumns * kTargets);
    for (const std::uint32_t r : rows) {
      for (std::size_t i = x.begin[r]; i < x.begin[r + 1]; ++i) {
        for (std::size_t j = x.begin[r]; j < x.begin[r + 1]; ++j) {
          a[x.column[i] * kColumns + x.column[j]] += static_cast<double>(x.value[i]) * x.value[j];
        }
        for (std::size_t t = 0; t < kTargets; ++t) b[x.column[i] * kTargets + t] += x.value[i] * y[r * kTargets + t];
      }
    }
    for (std::size_t i = 0; i < kColumns; ++i) a[i * kColumns + i] += penalties[p];
    const std::vector<double> exact = SolveDense(a, b, kTargets);
    for (std::size_t i = 0; i < exact.size(); ++i) EXPECT_NEAR(fits[p].weight[i], exact[i], 5e-3);
    std::vector<double> product(kTargets);
    AddProduct(x, 0, fits[p], product);
    double expected = 0;
    for (std::size_t i = x.begin[0]; i < x.begin[1]; ++i) expected += x.value[i] * exact[x.column[i] * kTargets + 9];
    EXPECT_NEAR(product[9], expected, 1e-2);
  }
}

TEST(Ridge, ATargetOfZerosGetsNoWeights) {
  SparseRows x{2, {0, 1, 2}, {0, 1}, {1, 1}};
  const std::vector<float> y = {0, 1, 0, 2};
  const std::vector<std::uint32_t> rows = {0, 1};
  const double penalty[] = {1};
  const std::vector<RidgeWeights> fits = FitRidge(x, rows, y, 2, penalty);
  EXPECT_EQ(fits[0].weight[0], 0);
  EXPECT_EQ(fits[0].weight[2], 0);
  EXPECT_NEAR(fits[0].weight[1], 0.5, 1e-3);
  EXPECT_NEAR(fits[0].weight[3], 1, 1e-3);
}

}  // namespace
}  // namespace pointsman::offline
