#include "router/classifier/stored_vectors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

#include "tests/support/encoder_head.h"

namespace pointsman::classifier {
namespace {

using testing_support::Unit;

TEST(StoredVectors, NearestMeetsTheExactCosines) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  const auto any = [&] {
    std::vector<double> values(384);
    for (double& value : values) value = static_cast<double>(normal(random));
    return Unit(values);
  };
  StoredVectors rows(384);
  std::vector<std::vector<float>> exact;
  for (std::uint32_t i = 0; i < 500; ++i) {
    exact.push_back(any());
    rows.Add(exact.back(), i % 3);
  }
  const std::vector<float> query = any();
  const std::vector<NearVector> nearest = rows.Nearest(query, 500);
  ASSERT_EQ(nearest.size(), 500u);
  for (std::size_t i = 0; i < nearest.size(); ++i) {
    const std::vector<float>& row = exact[nearest[i].row];
    EXPECT_NEAR(nearest[i].cosine, std::inner_product(row.begin(), row.end(), query.begin(), 0.0), 0.004);
    if (i > 0) {
      EXPECT_GE(nearest[i - 1].cosine, nearest[i].cosine);
    }
  }
  EXPECT_EQ(rows.Nearest(exact[123], 1)[0].row, 123u);
  EXPECT_EQ(rows.Nearest(query, 10).size(), 10u);
  EXPECT_EQ(rows.Nearest(query, 10)[9].row, nearest[9].row);
  EXPECT_TRUE(StoredVectors(384).Nearest(query, 3).empty());
}

TEST(StoredVectors, VotesAreWeighedByCosine) {
  StoredVectors rows(8);
  rows.Add(Unit({1, 0, 0, 0, 0, 0, 0, 0}), 0);
  rows.Add(Unit({1, 1, 0, 0, 0, 0, 0, 0}), 1);
  rows.Add(Unit({1, 1, 0, 0, 0, 0, 0, 0}), 1);
  const std::vector<NearVector> nearest = {{0, 0.9F}, {1, 0.8F}, {2, 0.7F}};
  const std::vector<double> logs = VoteLogProbabilities(rows, nearest, 3, 10, 4);
  const double a = std::exp(9.0), b = std::exp(8.0) + std::exp(7.0);
  EXPECT_NEAR(std::exp(logs[0]), 0.98 * a / (a + b) + 0.005, 1e-6);
  EXPECT_NEAR(std::exp(logs[1]), 0.98 * b / (a + b) + 0.005, 1e-6);
  EXPECT_NEAR(std::exp(logs[2]), 0.005, 1e-9);
  EXPECT_NEAR(std::exp(VoteLogProbabilities(rows, nearest, 1, 10, 4)[0]), 0.985, 1e-6);
  EXPECT_NEAR(std::exp(VoteLogProbabilities(rows, {}, 3, 10, 4)[3]), 0.25, 1e-9);
}

}  // namespace
}  // namespace pointsman::classifier
