#include "backends/engine/worker/token_stats.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

namespace pointsman::engine {
namespace {

// The definitions, term by term, in long double.
TokenStats Reference(const std::vector<float>& logits) {
  const long double max = *std::max_element(logits.begin(), logits.end());
  long double s = 0;
  for (const float x : logits) s += std::exp(x - max);
  const long double n = static_cast<long double>(logits.size());
  long double entropy = 0, squares = 0;
  for (const float x : logits) {
    const long double p = std::exp(x - max) / s;
    if (p > 0) entropy -= p * std::log(p);
    squares += p * p;
  }
  TokenStats stats;
  stats.log_sum_exp = static_cast<double>(max + std::log(s));
  stats.variance_dispersion = static_cast<double>((n * squares - 1) / (n - 1));
  stats.entropy_dispersion = static_cast<double>(1 - entropy / std::log(n));
  return stats;
}

void ExpectSame(const std::vector<float>& logits) {
  const TokenStats got = ComputeTokenStats(logits), want = Reference(logits);
  EXPECT_NEAR(got.log_sum_exp, want.log_sum_exp, 1e-5 * std::max(1.0, std::abs(want.log_sum_exp)));
  EXPECT_NEAR(got.variance_dispersion, want.variance_dispersion, 2e-6);
  EXPECT_NEAR(got.entropy_dispersion, want.entropy_dispersion, 2e-6);
}

std::vector<float> Random(std::size_t n, double scale, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, static_cast<float>(scale));
  std::vector<float> logits(n);
  for (float& x : logits) x = normal(random);
  return logits;
}

TEST(TokenStats, AgreesWithThePlainReference) {
  for (const std::size_t n : {2u, 3u, 15u, 16u, 17u, 31u, 33u, 1000u, 4096u, 4097u, 49152u, 100003u}) {
    for (const double scale : {0.01, 1.0, 4.0, 30.0}) {
      SCOPED_TRACE(std::to_string(n) + " logits of scale " + std::to_string(scale));
      ExpectSame(Random(n, scale, static_cast<unsigned>(n)));
    }
  }
}

TEST(TokenStats, UniformHasNoDispersion) {
  const TokenStats stats = ComputeTokenStats(std::vector<float>(49152, -3.5f));
  EXPECT_NEAR(stats.variance_dispersion, 0, 1e-6);
  EXPECT_NEAR(stats.entropy_dispersion, 0, 1e-6);
  EXPECT_NEAR(stats.log_sum_exp, -3.5 + std::log(49152.0), 1e-5);
}

TEST(TokenStats, OneHotHasAllOfIt) {
  std::vector<float> logits(49152, -200.0f);
  logits[49151] = 7;
  const TokenStats stats = ComputeTokenStats(logits);
  EXPECT_NEAR(stats.variance_dispersion, 1, 1e-6);
  EXPECT_NEAR(stats.entropy_dispersion, 1, 1e-6);
  EXPECT_NEAR(stats.log_sum_exp, 7, 1e-6);
}

TEST(TokenStats, ForbiddenTokensHaveProbabilityZero) {
  std::vector<float> logits(1000, -std::numeric_limits<float>::infinity());
  logits[3] = 1;
  logits[900] = 1;
  const TokenStats stats = ComputeTokenStats(logits);
  EXPECT_NEAR(stats.log_sum_exp, 1 + std::log(2.0), 1e-6);
  EXPECT_NEAR(stats.entropy_dispersion, 1 - std::log(2.0) / std::log(1000.0), 1e-6);
}

TEST(TokenStats, DoesNotDependOnTheOrder) {
  std::vector<float> logits = Random(5000, 3, 1);
  const TokenStats before = ComputeTokenStats(logits);
  std::shuffle(logits.begin(), logits.end(), std::mt19937(2));
  const TokenStats after = ComputeTokenStats(logits);
  EXPECT_NEAR(before.variance_dispersion, after.variance_dispersion, 1e-6);
  EXPECT_NEAR(before.entropy_dispersion, after.entropy_dispersion, 1e-6);
}

TEST(TokenStats, TopTokensAreTheBestInOrder) {
  const std::vector<float> logits = Random(49152, 2, 7);
  std::vector<std::int32_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return logits[a] > logits[b]; });
  const std::vector<RankedToken> top = TopTokens(logits, 20);
  ASSERT_EQ(top.size(), 20u);
  for (std::size_t i = 0; i < top.size(); ++i) EXPECT_EQ(top[i].token, order[i]) << i;
  EXPECT_EQ(ArgMax(logits), order[0]);
}

TEST(TokenStats, OfEqualsTheFirstWins) {
  const std::vector<float> logits{1, 5, 2, 5, 5};
  EXPECT_EQ(ArgMax(logits), 1);
  const std::vector<RankedToken> top = TopTokens(logits, 2);
  ASSERT_EQ(top.size(), 2u);
  EXPECT_EQ(top[0].token, 1);
  EXPECT_EQ(top[1].token, 3);
  EXPECT_TRUE(TopTokens(logits, 0).empty());
  EXPECT_EQ(TopTokens(logits, 9).size(), 5u);
}

}  // namespace
}  // namespace pointsman::engine
