#include "policies/gate/dispersion.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/policies/gate/random_distribution.h"

namespace pointsman::gate {
namespace {

constexpr int kCases = 10000;

std::vector<double> Logs(std::vector<double> p) {
  for (double& value : p) value = std::log(value);
  return p;
}

TEST(Dispersion, IsTheFormulaOfThePaper) {
  const std::vector<double> p = {0.5, 0.25, 0.125, 0.125};
  double variance = 0, entropy = 0;
  for (const double value : p) {
    variance += (value - 0.25) * (value - 0.25) / 4;
    entropy -= value * std::log(value);
  }
  const double one_hot = 3.0 / 16;  // population variance of (1, 0, 0, 0)
  const Dispersions d = DispersionsOf(p);
  EXPECT_NEAR(d.variance, variance / one_hot, 1e-12);
  EXPECT_NEAR(d.entropy, 1 - entropy / std::log(4), 1e-12);
  EXPECT_EQ(d.max_probability, 0.5);
  EXPECT_EQ(d.margin, 0.25);
}

TEST(Dispersion, IsZeroAtUniformAndOneAtOneHotForEveryN) {
  for (std::size_t n = 2; n <= 1000; ++n) {
    const Dispersions uniform = DispersionsOf(std::vector<double>(n, 1 / static_cast<double>(n)));
    EXPECT_NEAR(uniform.variance, 0, 1e-9) << n;
    EXPECT_NEAR(uniform.entropy, 0, 1e-9) << n;
    EXPECT_EQ(uniform.margin, 0) << n;
    std::vector<double> one_hot(n);
    one_hot[n / 2] = 1;
    const Dispersions certain = DispersionsOf(one_hot);
    EXPECT_NEAR(certain.variance, 1, 1e-9) << n;
    EXPECT_NEAR(certain.entropy, 1, 1e-9) << n;
    EXPECT_EQ(certain.margin, 1) << n;
    EXPECT_EQ(certain.max_probability, 1) << n;
  }
}

TEST(Dispersion, IsEqualForPermutedDistributionsAndInsideItsRange) {
  std::mt19937 random(1);
  for (int i = 0; i < kCases; ++i) {
    std::vector<double> p = RandomDistribution(random, 2 + random() % 30);
    const Dispersions before = DispersionsOf(p);
    std::shuffle(p.begin(), p.end(), random);
    const Dispersions after = DispersionsOf(p);
    ASSERT_NEAR(before.variance, after.variance, 1e-12);
    ASSERT_NEAR(before.entropy, after.entropy, 1e-12);
    ASSERT_EQ(before.margin, after.margin);
    ASSERT_EQ(before.max_probability, after.max_probability);
    for (const double value : {before.variance, before.entropy, before.margin, before.max_probability}) {
      ASSERT_GE(value, 0);
      ASSERT_LE(value, 1);
    }
    std::sort(p.rbegin(), p.rend());
    ASSERT_EQ(after.max_probability, p[0]);
    ASSERT_NEAR(after.margin, p[0] - p[1], 1e-15);
  }
}

// The condition of Proposition 2.2: mixing with the uniform distribution never makes it look more certain.
TEST(Dispersion, FallsTowardsUniform) {
  std::mt19937 random(2);
  std::uniform_real_distribution<double> uniform(0, 1);
  for (int i = 0; i < kCases; ++i) {
    std::vector<double> p = RandomDistribution(random, 2 + random() % 20);
    const Dispersions before = DispersionsOf(p);
    const double part = uniform(random);
    for (double& value : p) value = part * value + (1 - part) / static_cast<double>(p.size());
    const Dispersions after = DispersionsOf(p);
    ASSERT_LE(after.variance, before.variance + 1e-12);
    ASSERT_LE(after.entropy, before.entropy + 1e-12);
  }
}

TEST(Dispersion, OutcomesThatNobodyChoseCountInN) {
  const std::vector<double> shares = {0.6, 0.4}, padded = {0.6, 0.4, 0, 0, 0};
  EXPECT_DOUBLE_EQ(DispersionsOf(shares, 5).variance, DispersionsOf(padded).variance);
  EXPECT_DOUBLE_EQ(DispersionsOf(shares, 5).entropy, DispersionsOf(padded).entropy);
}

TEST(TopDispersion, TakesASmallRestForOneMoreOutcome) {
  const std::vector<double> listed = {0.7, 0.2}, all = {0.7, 0.2, 0.1};
  const Dispersions top = *DispersionsOfTop(Logs(listed)), whole = DispersionsOf(all);
  EXPECT_NEAR(top.variance, whole.variance, 1e-12);
  EXPECT_NEAR(top.entropy, whole.entropy, 1e-12);
  EXPECT_NEAR(top.margin, 0.5, 1e-12);
}

TEST(TopDispersion, ALargeRestIsNoCertainty) {
  // As one outcome the rest would be nearly one-hot.
  const Dispersions top = *DispersionsOfTop(Logs({0.02, 0.01, 0.01}));
  EXPECT_EQ(top.variance, 0);
  EXPECT_EQ(top.entropy, 0);
  const Dispersions rare = *DispersionsOfTop(Logs({0.05}));
  EXPECT_EQ(rare.variance, 0);
  EXPECT_EQ(rare.entropy, 0);
}

TEST(TopDispersion, OfACompleteListOnlyNDiffers) {
  const std::vector<double> p = {0.5, 0.3, 0.2};
  EXPECT_NEAR(DispersionsOfTop(Logs(p))->variance, DispersionsOf(p, 4).variance, 1e-12);
  EXPECT_NEAR(DispersionsOfTop(Logs(p))->entropy, DispersionsOf(p, 4).entropy, 1e-12);
}

TEST(TopDispersion, BoundsTheTrueDistribution) {
  std::mt19937 random(3);
  for (int i = 0; i < kCases; ++i) {
    std::vector<double> p = RandomDistribution(random, 8 + random() % 100);
    std::sort(p.rbegin(), p.rend());
    const std::size_t k = 1 + random() % 5;
    double squares = 0, entropy = 0;
    for (const double value : p) {
      squares += value * value;
      if (value > 0) entropy -= value * std::log(value);
    }
    const auto n = static_cast<double>(k + 1);
    const Dispersions top = *DispersionsOfTop(Logs({p.begin(), p.begin() + static_cast<std::ptrdiff_t>(k)}));
    ASSERT_GE(top.variance, std::max(0.0, (n * squares - 1) / (n - 1)) - 1e-9);
    ASSERT_GE(top.entropy, std::max(0.0, 1 - entropy / std::log(n)) - 1e-9);
    ASSERT_LE(top.variance, 1);
    ASSERT_LE(top.entropy, 1);
  }
}

TEST(TopDispersion, IsDefinedAtTheEdges) {
  EXPECT_FALSE(DispersionsOfTop({}));
  const Dispersions certain = *DispersionsOfTop(std::vector<double>{0});
  EXPECT_EQ(certain.variance, 1);
  EXPECT_EQ(certain.entropy, 1);
  const Dispersions positive = *DispersionsOfTop(std::vector<double>{0.1});
  EXPECT_EQ(positive.variance, 1);
  const double none = -std::numeric_limits<double>::infinity();
  EXPECT_EQ(DispersionsOfTop(std::vector<double>{none})->variance, 0);
  EXPECT_EQ(DispersionsOfTop(std::vector<double>{0, none})->variance, 1);
}

}  // namespace
}  // namespace pointsman::gate
