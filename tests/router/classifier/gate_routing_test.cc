#include "router/classifier/gate_routing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "router/offline/random.h"

namespace pointsman::classifier {
namespace {

constexpr int kCases = 10'000;

std::vector<float> Random(offline::SplitMix& random, std::size_t size, float reach) {
  std::vector<float> values(size);
  for (float& value : values) value = (static_cast<float>(random.Below(200'001)) / 100'000 - 1) * reach;
  return values;
}

double Sum(const std::vector<float>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

TEST(Standardise, MakesMeanZeroAndDeviationOne) {
  offline::SplitMix random(1);
  for (int i = 0; i < kCases; ++i) {
    std::vector<float> values = Random(random, 2 + random.Below(200), 3);
    for (float& value : values) value += 5;
    if (std::all_of(values.begin(), values.end(), [&](float v) { return v == values[0]; })) continue;
    Standardise(values);
    double squares = 0;
    for (const float value : values) squares += static_cast<double>(value) * value;
    EXPECT_NEAR(Sum(values), 0, 1e-3);
    EXPECT_NEAR(squares / static_cast<double>(values.size()), 1, 1e-4);
  }
}

TEST(Standardise, WhatIsAllTheSameBecomesZero) {
  for (const float value : {0.0F, 1.0F, -7.3F, 1e-20F}) {
    std::vector<float> values(17, value);
    Standardise(values);
    EXPECT_EQ(values, std::vector<float>(17, 0.0F));
  }
  Standardise({});
}

TEST(ScaledProduct, OfStandardisedVectorsIsTheRootOfDTimesTheirCosine) {
  offline::SplitMix random(2);
  for (int i = 0; i < kCases; ++i) {
    const std::size_t size = 2 + random.Below(150);
    std::vector<float> a = Random(random, size, 1), b = Random(random, size, 1);
    Standardise(a);
    Standardise(b);
    double dot = 0, aa = 0, bb = 0;
    for (std::size_t d = 0; d < size; ++d) {
      dot += static_cast<double>(a[d]) * b[d];
      aa += static_cast<double>(a[d]) * a[d];
      bb += static_cast<double>(b[d]) * b[d];
    }
    if (aa == 0 || bb == 0) continue;
    const double expected = std::sqrt(static_cast<double>(size)) * dot / std::sqrt(aa * bb);
    EXPECT_NEAR(ScaledProduct(a, b), expected, 1e-3);
  }
}

TEST(Softmax, SumsToOneKeepsTheOrderAndForgetsAShift) {
  offline::SplitMix random(3);
  for (int i = 0; i < kCases; ++i) {
    const std::vector<float> logits = Random(random, 1 + random.Below(50), 20);
    const double temperature = 0.1 + static_cast<double>(random.Below(100)) / 20;
    std::vector<float> p = logits, shifted = logits;
    for (float& value : shifted) value += 64;
    Softmax(p, temperature);
    Softmax(shifted, temperature);
    EXPECT_NEAR(Sum(p), 1, 1e-5);
    for (std::size_t e = 0; e < p.size(); ++e) {
      EXPECT_NEAR(p[e], shifted[e], 1e-3);
      EXPECT_GE(p[e], 0);
      EXPECT_TRUE(logits[e] <= logits[0] || p[e] >= p[0]);
    }
  }
}

TEST(Softmax, ALowerTemperatureIsSurer) {
  offline::SplitMix random(4);
  for (int i = 0; i < kCases; ++i) {
    const std::vector<float> logits = Random(random, 2 + random.Below(20), 5);
    std::vector<float> cold = logits, warm = logits;
    Softmax(cold, 0.5);
    Softmax(warm, 2);
    EXPECT_GE(*std::max_element(cold.begin(), cold.end()) + 1e-6F, *std::max_element(warm.begin(), warm.end()));
  }
}

TEST(TopK, EqualsTheSoftmaxOfTheKeptLogits) {
  offline::SplitMix random(5);
  for (int i = 0; i < kCases; ++i) {
    const std::vector<float> logits = Random(random, 2 + random.Below(40), 4);
    std::vector<float> p = logits;
    Softmax(p, 1);
    const std::vector<ChosenExpert> chosen = TopK(p, 2);
    ASSERT_EQ(chosen.size(), 2U);
    ASSERT_GE(chosen[0].weight, chosen[1].weight);
    std::vector<float> kept = {logits[chosen[0].expert], logits[chosen[1].expert]};
    Softmax(kept, 1);
    // The 1e-6 beside the sum makes both weights a little smaller.
    EXPECT_NEAR(chosen[0].weight, kept[0], 1e-4);
    EXPECT_NEAR(chosen[1].weight, kept[1], 1e-4);
    EXPECT_LT(chosen[0].weight + chosen[1].weight, 1 + 1e-6);
    for (std::size_t e = 0; e < p.size(); ++e) {
      EXPECT_TRUE(e == chosen[0].expert || p[e] <= p[chosen[1].expert]);
    }
  }
}

TEST(TopK, TakesTheFirstOfEqualsAndNoMoreThanThereAre) {
  const std::vector<float> equal(3, 1.0F / 3);
  const auto two = TopK(equal, 2);
  EXPECT_EQ(two[0].expert, 0U);
  EXPECT_EQ(two[1].expert, 1U);
  EXPECT_NEAR(two[0].weight, 0.5, 1e-5);
  EXPECT_EQ(TopK(equal, 7).size(), 3U);
  EXPECT_TRUE(TopK(equal, 0).empty());
  EXPECT_EQ(TopK(std::vector<float>(2, 0.0F), 1)[0].weight, 0);  // no division by zero
}

}  // namespace
}  // namespace pointsman::classifier
