#include "router/offline/principal_components.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

namespace pointsman::offline {
namespace {

// Points around (1, 2, 3): deviation 5 along (0.6, 0.8, 0), 2 along (0, 0, 1), 1 along (-0.8, 0.6, 0).
std::vector<std::vector<float>> Cloud(std::size_t count) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  std::vector<std::vector<float>> rows;
  for (std::size_t i = 0; i < count; ++i) {
    const float a = 5 * normal(random), b = 2 * normal(random), c = normal(random);
    rows.push_back({1 + 0.6F * a - 0.8F * c, 2 + 0.8F * a + 0.6F * c, 3 + b});
  }
  return rows;
}

PrincipalComponents Find(const std::vector<std::vector<float>>& rows, std::size_t components) {
  std::vector<const std::vector<float>*> pointers;
  for (const auto& row : rows) pointers.push_back(&row);
  return FindPrincipalComponents(pointers, components);
}

TEST(PrincipalComponents, FindsTheAxesInOrderOfVariance) {
  const PrincipalComponents found = Find(Cloud(20'000), 2);
  ASSERT_EQ(found.components(), 2U);
  EXPECT_NEAR(found.mean[0], 1, 0.1);
  EXPECT_NEAR(found.mean[1], 2, 0.1);
  EXPECT_NEAR(found.mean[2], 3, 0.1);
  const float expected[2][3] = {{0.6F, 0.8F, 0}, {0, 0, 1}};
  for (std::size_t c = 0; c < 2; ++c) {
    for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(found.directions[c * 3 + i], expected[c][i], 0.02) << c << " " << i;
  }
  EXPECT_NEAR(found.kept, 29.0 / 30, 0.005);
}

TEST(PrincipalComponents, ProjectsAroundTheMean) {
  const auto rows = Cloud(300);
  const PrincipalComponents found = Find(rows, 3);
  EXPECT_NEAR(found.kept, 1, 1e-6);
  std::vector<double> sum(3), squares(3);
  std::vector<float> out(3);
  for (const auto& row : rows) {
    found.Project(row, out);
    double length = 0, expected = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      sum[i] += out[i];
      squares[i] += out[i] * out[i];
      length += out[i] * out[i];
      expected += (row[i] - found.mean[i]) * (row[i] - found.mean[i]);
    }
    EXPECT_NEAR(length, expected, 1e-3 * expected + 1e-4);  // all components: a rotation
  }
  for (const double value : sum) EXPECT_NEAR(value / 300, 0, 1e-4);
  EXPECT_GT(squares[0], squares[1]);
  EXPECT_GT(squares[1], squares[2]);
}

TEST(PrincipalComponents, TheLargestValueOfADirectionIsPositive) {
  auto rows = Cloud(300);
  const PrincipalComponents found = Find(rows, 3);
  for (std::size_t c = 0; c < 3; ++c) {
    float largest = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      if (std::abs(found.directions[c * 3 + i]) > std::abs(largest)) largest = found.directions[c * 3 + i];
    }
    EXPECT_GT(largest, 0);
  }
}

}  // namespace
}  // namespace pointsman::offline
