#include "router/offline/extend_linear.h"

#include <gtest/gtest.h>

#include "router/classifier/artifact.h"
#include "router/classifier/linear.h"
#include "router/offline/rows.h"
#include "tests/support/topics.h"

namespace pointsman::offline {
namespace {

class ExtendLinearTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto rows = ReadRows(pointsman::testing::TopicOptions("").rows, nullptr);
    ASSERT_TRUE(rows.ok()) << rows.error().message;
    rows_ = *std::move(rows);
    ASSERT_EQ(rows_.labels, (std::vector<std::string>{"astronomy", "cooking", "music", "sailing"}));
    std::vector<Example> old;
    for (const Row& row : rows_.rows) {
      if (row.label < 3) old.push_back({row.text, row.label});
    }
    FitOptions options;
    options.bucket_bits = 12;
    model_ = FitSoftmax(old, {"astronomy", "cooking", "music"}, options, nullptr);
    options_.old_texts = old.size();
    for (const Row& row : rows_.rows) texts_.push_back({row.text, row.label, 1, row.label == 3});
  }

  Rows rows_;
  v1::LinearClassifier model_;
  ExtendOptions options_;
  std::vector<WeightedText> texts_;  // sailing is fresh
};

TEST_F(ExtendLinearTest, ANewColumnFindsItsTextsAndLeavesTheOthersTheirs) {
  v1::LinearClassifier model = model_;
  const std::vector<std::string> names = {"sailing"};
  ExtendLinear(texts_, names, options_, model);
  ASSERT_EQ(classifier::Flaw(model), "");
  const classifier::LinearModel served(model, "", std::nullopt);
  std::size_t right = 0;
  for (const Row& row : rows_.rows) right += served.Classify(row.text).likeliest == row.label ? 1 : 0;
  EXPECT_GE(right, 57U);  // of 60
}

TEST_F(ExtendLinearTest, TheOtherColumnsStayAsTheyWere) {
  v1::LinearClassifier model = model_;
  const std::vector<std::string> names = {"sailing"};
  ExtendLinear(texts_, names, options_, model);
  for (std::size_t row = 0; row < model.idf().size(); ++row) {
    for (std::size_t c = 0; c < 3; ++c) ASSERT_EQ(model.weights()[row * 4 + c], model_.weights()[row * 3 + c]);
  }
  for (int c = 0; c < 3; ++c) {
    EXPECT_EQ(model.scales(c), model_.scales(c));
    EXPECT_EQ(model.bias(c), model_.bias(c));
  }
}

TEST_F(ExtendLinearTest, AStrongRidgeKeepsTheWeightsAtZero) {
  v1::LinearClassifier model = model_;
  const std::vector<std::string> names = {"sailing"};
  ExtendOptions options = options_;
  options.ridge = 1e9;
  ExtendLinear(texts_, names, options, model);
  EXPECT_LT(model.scales(3) * 127, 1e-5F);
}

TEST_F(ExtendLinearTest, RowsOfAKnownCategoryMoveItsColumnAlone) {
  v1::LinearClassifier model = model_;
  const std::string text = "the sourdough starter wants feeding";
  const std::vector<WeightedText> fresh = {{text, 2, 5, true}};  // as music
  const classifier::LinearModel before(model, "", std::nullopt);
  ExtendLinear(fresh, {}, options_, model);
  ASSERT_EQ(model.categories_size(), 3);
  const classifier::LinearModel after(model, "", std::nullopt);
  EXPECT_GT(after.Classify(text).probabilities[2], before.Classify(text).probabilities[2]);
  for (std::size_t row = 0; row < model.idf().size(); ++row) {
    ASSERT_EQ(model.weights()[row * 3], model_.weights()[row * 3]);
  }
}

TEST_F(ExtendLinearTest, WordsThatTrainingNeverSawAreReadFromNowOn) {
  v1::LinearClassifier model = model_;
  const std::vector<std::string> names = {"payroll"};
  const std::vector<WeightedText> fresh = {{"zzyzx qwv", 3, 1, true}, {"zzyzx plugh", 3, 1, true}};
  ExtendLinear(fresh, names, options_, model);
  const classifier::LinearModel served(model, "", std::nullopt);
  EXPECT_GT(served.Classify("zzyzx").probabilities[3],
            classifier::LinearModel(model_, "", std::nullopt).Classify("zzyzx").probabilities[0]);
}

}  // namespace
}  // namespace pointsman::offline
