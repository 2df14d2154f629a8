#include "router/offline/fit_gate.h"

#include <gtest/gtest.h>

#include <numeric>
#include <string>

#include "router/classifier/expert_gates.h"
#include "router/classifier/gate_file.h"
#include "router/offline/rows.h"
#include "tests/support/embedding.h"
#include "tests/support/gates.h"
#include "tests/support/topics.h"

namespace pointsman::offline {
namespace {

class FitGateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    RowOptions rows;
    rows.files = {pointsman::testing::TopicRows()};
    rows.label_field = "topic";
    rows_ = *ReadRows(rows, {});
    RowOptions pool;
    pool.files = {pointsman::testing::PoolRows()};
    pool.label_field.clear();
    pool_ = *ReadRows(pool, {});
    for (const Row& row : rows_.rows) texts_.push_back(row.text);
    for (const Row& row : pool_.rows) pool_texts_.push_back(row.text);
    pool_rows_.resize(pool_texts_.size());
    std::iota(pool_rows_.begin(), pool_rows_.end(), 0U);
  }

  v1::ExpertGate Fit(const GateTexts& own, const std::vector<std::uint32_t>& rows) {
    const GateTexts pool = PrepareGateTexts(pool_texts_, embedding_);
    return FitGate({own, rows}, {pool, pool_rows_}, embedding_.dimensions(), 1);
  }

  Rows rows_, pool_;
  std::vector<std::string_view> texts_, pool_texts_;
  std::vector<std::uint32_t> pool_rows_;
  classifier::StaticEmbedding embedding_{*pointsman::testing::TopicEmbedding()};
};

TEST_F(FitGateTest, OtherExpertsRowsDoNotChangeAByte) {
  std::vector<std::uint32_t> own, alone;
  std::vector<std::string_view> own_texts;
  for (std::uint32_t i = 0; i < texts_.size(); ++i) {
    if (rows_.rows[i].label != 0) continue;
    own.push_back(i);
    alone.push_back(static_cast<std::uint32_t>(own_texts.size()));
    own_texts.push_back(texts_[i]);
  }
  const v1::ExpertGate among = Fit(PrepareGateTexts(texts_, embedding_), own);
  const v1::ExpertGate by_itself = Fit(PrepareGateTexts(own_texts, embedding_), alone);
  EXPECT_EQ(among.SerializeAsString(), by_itself.SerializeAsString());
}

TEST_F(FitGateTest, TheAverageIsThatOfTheOwnVectors) {
  const GateTexts texts = PrepareGateTexts(texts_, embedding_);
  const v1::ExpertGate gate = Fit(texts, {2, 5});
  for (std::size_t d = 0; d < embedding_.dimensions(); ++d) {
    const float mean =
        (texts.vectors[2 * embedding_.dimensions() + d] + texts.vectors[5 * embedding_.dimensions() + d]) / 2;
    EXPECT_NEAR(gate.average_activation(static_cast<int>(d)), mean, 1e-6);
  }
}

TEST_F(FitGateTest, PhatgooseTakesAHundredSmallStepsTowardsTheOwnVectors) {
  const GateTexts texts = PrepareGateTexts(texts_, embedding_);
  const v1::ExpertGate gate = Fit(texts, {3, 4});
  double product = 0;
  for (std::size_t d = 0; d < embedding_.dimensions(); ++d) {
    const float v = gate.phatgoose(static_cast<int>(d));
    EXPECT_LE(std::abs(v), 0.5 + 1e-6);  // 100 steps of Adam at 0.005
    product += static_cast<double>(v) * gate.average_activation(static_cast<int>(d));
  }
  EXPECT_GT(product, 0);
}

TEST_F(FitGateTest, KeepsNoMoreExamplesThanAGateMayHave) {
  std::vector<std::string> made;
  for (std::size_t i = 0; i < classifier::kGateMaxExamples + 300; ++i) made.push_back("moon " + std::to_string(i));
  const std::vector<std::string_view> views(made.begin(), made.end());
  const GateTexts texts = PrepareGateTexts(views, embedding_);
  std::vector<std::uint32_t> all(views.size());
  std::iota(all.begin(), all.end(), 0U);
  const v1::ExpertGate gate = Fit(texts, all);
  EXPECT_EQ(static_cast<std::size_t>(gate.examples().scales_size()), classifier::kGateMaxExamples);
  EXPECT_LT(gate.ByteSizeLong(), 1'500'000U);
}

TEST(DrawPool, KeepsTheOrderAndTheSameTextsForTheSameSeed) {
  std::vector<std::string> made;
  for (std::size_t i = 0; i < kMostPoolRows + 2000; ++i) made.push_back(std::to_string(1'000'000 + i));
  const std::vector<std::string_view> all(made.begin(), made.end());
  std::vector<std::string_view> one = all, same = all, other = all, few(all.begin(), all.begin() + 9);
  DrawPool(one, 1);
  DrawPool(same, 1);
  DrawPool(other, 2);
  DrawPool(few, 1);
  EXPECT_EQ(one.size(), kMostPoolRows);
  EXPECT_TRUE(std::is_sorted(one.begin(), one.end()));
  EXPECT_EQ(one, same);
  EXPECT_NE(one, other);
  EXPECT_EQ(few.size(), 9U);
}

}  // namespace
}  // namespace pointsman::offline
