#include "router/offline/whiten.h"

#include <gtest/gtest.h>

#include "router/offline/random.h"

namespace pointsman::offline {
namespace {

TEST(Whiten, TheRowsOfACategoryHaveUnitCovarianceAroundItsMean) {
  constexpr std::size_t kDimensions = 4, kRows = 20000, kCategories = 2;
  SplitMix random(3);
  const auto uniform = [&] { return static_cast<double>(random.Below(1'000'000)) / 1e6 - 0.5; };
  std::vector<float> vectors;
  std::vector<std::uint8_t> labels;
  for (std::size_t i = 0; i < kRows; ++i) {
    labels.push_back(static_cast<std::uint8_t>(i % kCategories));
    const double a = uniform(), b = uniform(), c = uniform(), d = uniform();
    for (const double value : {3 * a, a + b, b - 2 * c, d + 5.0 * labels.back()}) {
      vectors.push_back(static_cast<float>(value));
    }
  }
  const Whitening whitening = Whiten(vectors, kDimensions, labels, kCategories);
  double covariance[kDimensions][kDimensions] = {};
  for (std::size_t i = 0; i < kRows; ++i) {
    double white[kDimensions] = {};
    for (std::size_t d = 0; d < kDimensions; ++d) {
      for (std::size_t e = 0; e < kDimensions; ++e) {
        white[d] += whitening.matrix[d * kDimensions + e] * vectors[i * kDimensions + e];
      }
      white[d] -= whitening.means[labels[i] * kDimensions + d];
    }
    for (std::size_t d = 0; d < kDimensions; ++d) {
      for (std::size_t e = 0; e < kDimensions; ++e) covariance[d][e] += white[d] * white[e] / kRows;
    }
  }
  for (std::size_t d = 0; d < kDimensions; ++d) {
    for (std::size_t e = 0; e < kDimensions; ++e) EXPECT_NEAR(covariance[d][e], d == e ? 1 : 0, 0.01);
  }
}

}  // namespace
}  // namespace pointsman::offline
