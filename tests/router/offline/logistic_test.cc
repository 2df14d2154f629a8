#include "router/offline/logistic.h"

#include <gtest/gtest.h>

#include <cmath>

#include "router/offline/random.h"

namespace pointsman::offline {
namespace {

// Rows of 5 columns; of the first `positives` the first column is larger.
SparseRows Make(std::size_t rows, std::size_t positives, std::uint64_t seed) {
  SplitMix random(seed);
  SparseRows x;
  x.columns = 5;
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::uint32_t c = 0; c < x.columns; ++c) {
      if (random.Below(4) == 0) continue;
      x.column.push_back(c);
      x.value.push_back(static_cast<float>(random.Below(2001)) / 1000 - 1 + (c == 0 && i < positives ? 1.0F : 0.0F));
    }
    x.begin.push_back(x.value.size());
  }
  return x;
}

double Value(const SparseRows& x, std::size_t positives, double strength, const LogisticWeights& at) {
  double value = 0;
  for (const double weight : at.weight) value += weight * weight / 2;
  const auto n = static_cast<double>(x.rows());
  for (std::size_t i = 0; i < x.rows(); ++i) {
    double logit = at.bias;
    for (std::size_t k = x.begin[i]; k < x.begin[i + 1]; ++k) logit += x.value[k] * at.weight[x.column[k]];
    const double size = i < positives ? static_cast<double>(positives) : n - static_cast<double>(positives);
    value += strength * n / (2 * size) * std::log1p(std::exp(i < positives ? -logit : logit));
  }
  return value;
}

TEST(FitLogistic, NoPointNearbyIsBetter) {
  SplitMix random(9);
  for (const double strength : {0.1, 10.0}) {
    const SparseRows x = Make(300, 40, 1);
    const LogisticWeights fit = FitLogistic(x, 40, strength);
    const double best = Value(x, 40, strength, fit);
    EXPECT_GT(fit.weight[0], 0);
    for (int i = 0; i < 1000; ++i) {
      LogisticWeights other = fit;
      for (double& weight : other.weight) weight += (static_cast<double>(random.Below(2001)) / 1000 - 1) * 0.2;
      other.bias += (static_cast<double>(random.Below(2001)) / 1000 - 1) * 0.2;
      EXPECT_GT(Value(x, 40, strength, other), best * (1 - 1e-4));
    }
  }
}

TEST(FitLogistic, BothClassesWeighTheSame) {
  // 40 against 40, and 40 against the same 40 ten times.
  const SparseRows once = Make(80, 40, 2);
  SparseRows often = once;
  for (int copy = 1; copy < 10; ++copy) {
    for (std::size_t i = 40; i < 80; ++i) {
      for (std::size_t k = once.begin[i]; k < once.begin[i + 1]; ++k) {
        often.column.push_back(once.column[k]);
        often.value.push_back(once.value[k]);
      }
      often.begin.push_back(often.value.size());
    }
  }
  // The strength is that of a row: 440 rows are as strong as 80 at 80 / 440 of it.
  const LogisticWeights a = FitLogistic(once, 40, 1), b = FitLogistic(often, 40, 80.0 / 440);
  for (std::size_t c = 0; c < a.weight.size(); ++c) EXPECT_NEAR(a.weight[c], b.weight[c], 0.02);
  EXPECT_NEAR(a.bias, b.bias, 0.02);
}

}  // namespace
}  // namespace pointsman::offline
