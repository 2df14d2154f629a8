#include "router/offline/distil.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

namespace pointsman::offline {
namespace {

constexpr std::size_t kDimensions = 8, kTokens = 50, kTexts = 2000;

// Texts of 1 to 12 tokens, and the directions of the sums of vectors that Distil() does not know.
class DistilTest : public ::testing::Test {
 protected:
  DistilTest() {
    std::mt19937 random(5);
    std::normal_distribution<float> normal;
    truth_.resize(kTokens * kDimensions);
    for (float& value : truth_) value = normal(random);
    for (std::size_t i = 0; i < kTexts; ++i) {
      for (std::size_t n = 1 + random() % 12; n > 0; --n) {
        texts_.tokens.push_back(static_cast<std::uint32_t>(random() % kTokens));
      }
      texts_.begin.push_back(texts_.tokens.size());
    }
    for (std::size_t i = 0; i < kTexts; ++i) {
      const std::vector<float> target = Sum(i, truth_);
      targets_.insert(targets_.end(), target.begin(), target.end());
    }
    options_.dimensions = kDimensions;
    options_.epochs = 10;
    options_.learning_rate = 0.1F;
  }

  // Of length 1.
  std::vector<float> Sum(std::size_t text, const std::vector<float>& vectors) const {
    std::vector<float> sum(kDimensions);
    for (const std::uint32_t token : texts_.Text(text)) {
      for (std::size_t d = 0; d < kDimensions; ++d) sum[d] += vectors[token * kDimensions + d];
    }
    const float length = std::sqrt(std::inner_product(sum.begin(), sum.end(), sum.begin(), 0.0F)) + 1e-9F;
    for (float& value : sum) value /= length;
    return sum;
  }

  double MeanCosine(const std::vector<float>& vectors) const {
    double total = 0;
    for (std::size_t i = 0; i < kTexts; ++i) {
      const std::vector<float> sum = Sum(i, vectors);
      total += std::inner_product(sum.begin(), sum.end(), targets_.begin() + static_cast<int>(i * kDimensions), 0.0);
    }
    return total / kTexts;
  }

  std::vector<float> Distilled(std::vector<float> vectors) const {
    Distil(texts_, targets_, options_, vectors, nullptr);
    return vectors;
  }

  std::vector<float> truth_, targets_;
  TokenLists texts_;
  DistilOptions options_;
};

TEST_F(DistilTest, FindsVectorsOfWhichTheTargetsAreSums) {
  const std::vector<float> zeros(kTokens * kDimensions);
  EXPECT_NEAR(MeanCosine(zeros), 0, 1e-6);
  EXPECT_GT(MeanCosine(Distilled(zeros)), 0.98);
}

TEST_F(DistilTest, AGoodStartIsKept) {
  options_.learning_rate = 1e-4F;
  EXPECT_GT(MeanCosine(Distilled(truth_)), 0.9999);
}

TEST_F(DistilTest, ATokenOfNoTextStaysAsItIs) {
  std::vector<float> more(truth_);
  more.insert(more.end(), kDimensions, 7.0F);
  const std::vector<float> after = Distilled(more);
  EXPECT_TRUE(std::equal(after.end() - kDimensions, after.end(), more.end() - kDimensions));
}

TEST_F(DistilTest, ATextWithoutTokensTeachesNothing) {
  TokenLists none;
  none.begin = {0, 0};
  std::vector<float> vectors(truth_);
  Distil(none, std::span(targets_).first(kDimensions), options_, vectors, nullptr);
  EXPECT_EQ(vectors, truth_);
}

TEST_F(DistilTest, TheSeedAloneDecidesTheOrder) {
  const std::vector<float> zeros(kTokens * kDimensions);
  const std::vector<float> first = Distilled(zeros);
  EXPECT_EQ(Distilled(zeros), first);
  options_.seed = 2;
  EXPECT_NE(Distilled(zeros), first);
}

TEST_F(DistilTest, TellsHowFarItIs) {
  std::vector<double> shares;
  std::vector<float> vectors(truth_);
  Distil(texts_, targets_, options_, vectors, [&](double share) { shares.push_back(share); });
  ASSERT_GT(shares.size(), 5U);
  EXPECT_TRUE(std::is_sorted(shares.begin(), shares.end()));
  EXPECT_LE(shares.back(), 1);
}

}  // namespace
}  // namespace pointsman::offline
