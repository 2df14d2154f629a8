#include "router/offline/evaluate_classifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "router/classifier/artifact.h"
#include "router/classifier/classifier.h"
#include "tests/support/embedding.h"
#include "tests/support/temp_dir.h"
#include "tests/support/topics.h"

namespace pointsman::offline {
namespace {

using ::testing::HasSubstr;

class EvaluateClassifierTest : public ::testing::Test {
 protected:
  void SetUp() override {
    TrainOptions options = pointsman::testing::TopicOptions(dir_.path() / "a.pmc");
    options.fit.embedding = pointsman::testing::TopicEmbedding();
    const auto report = TrainClassifier(options);
    ASSERT_TRUE(report.ok()) << report.error().message;
    options_.artifact = options.out;
    options_.rows.files = {pointsman::testing::TopicRows()};
    options_.rows.label_field = "topic";
  }

  pointsman::testing::TempDir dir_;
  EvaluateClassifierOptions options_;
};

TEST_F(EvaluateClassifierTest, CountsWhatTheClassifierSays) {
  const auto evaluation = EvaluateClassifier(options_);
  ASSERT_TRUE(evaluation.ok()) << evaluation.error().message;
  EXPECT_EQ(evaluation->metrics.rows, 60U);
  const auto classifier = classifier::Classifier::Load(options_.artifact, std::nullopt);
  const auto rows = ReadRows(options_.rows, nullptr);
  double right = 0;
  for (const Row& row : rows->rows) right += (*classifier)->Classify(row.text).likeliest == row.label ? 1 : 0;
  EXPECT_DOUBLE_EQ(evaluation->metrics.accuracy, right / 60);
  EXPECT_GE(evaluation->top3, evaluation->metrics.accuracy);
  EXPECT_GT(evaluation->microseconds_p50, 0);
  EXPECT_GE(evaluation->microseconds_p99, evaluation->microseconds_p50);
  EXPECT_FALSE(evaluation->auroc_foreign);
}

TEST_F(EvaluateClassifierTest, HistoryHelpsAFollowUp) {
  const auto rows = ReadRows(options_.rows, nullptr);
  std::string follow_ups;
  for (std::size_t i = 0; i < rows->rows.size(); i += 3) {
    const boost::json::object row = {
        {"text", "zxq?"}, {"topic", rows->labels[rows->rows[i].label]}, {"before", rows->rows[i].text}};
    follow_ups += boost::json::serialize(row) + "\n";
  }
  options_.rows.files = {dir_.Write("follow.jsonl", follow_ups)};
  options_.rows.two_labels = true;
  const auto without = EvaluateClassifier(options_);
  ASSERT_TRUE(without.ok()) << without.error().message;
  options_.rows.history_field = "before";
  const auto with = EvaluateClassifier(options_);
  ASSERT_TRUE(with.ok()) << with.error().message;
  EXPECT_EQ(with->metrics.rows, 20U);
  EXPECT_GT(with->metrics.accuracy, 0.8);
  EXPECT_LT(without->metrics.accuracy, 0.5);
  options_.weights.history = 0;
  EXPECT_LT(EvaluateClassifier(options_)->metrics.accuracy, 0.5);
}

TEST_F(EvaluateClassifierTest, ForeignRowsAreStranger) {
  options_.foreign = {
      dir_.Write("foreign.jsonl", "{\"text\": \"zxq vvkt wpp\"}\n{\"text\": \"0x4f 1190 !!\"}\n{\"text\": \"qqq\"}\n")};
  const auto evaluation = EvaluateClassifier(options_);
  ASSERT_TRUE(evaluation.ok()) << evaluation.error().message;
  EXPECT_EQ(evaluation->foreign, 3U);
  EXPECT_GT(*evaluation->auroc_foreign, 0.9);
  const auto json = boost::json::parse(EvaluationJson(*evaluation));
  for (const char* name :
       {"n", "accuracy", "macro_f1", "top3", "ece", "auroc_correct", "microseconds_p50", "auroc_foreign"}) {
    EXPECT_TRUE(json.as_object().contains(name)) << name;
  }
  EXPECT_THAT(EvaluationText(*evaluation), HasSubstr("3 foreign rows"));
}

TEST_F(EvaluateClassifierTest, AnUnknownLabelIsABadRow) {
  options_.rows.files = {dir_.Write("rows.jsonl",
                                    "{\"text\": \"a star\", \"topic\": \"astronomy\"}\n"
                                    "{\"text\": \"a star\", \"topic\": \"music\"}\n"
                                    "{\"text\": \"a rose\", \"topic\": \"gardening\"}\n")};
  const auto evaluation = EvaluateClassifier(options_);
  ASSERT_FALSE(evaluation.ok());
  EXPECT_THAT(evaluation.error().message, HasSubstr("rows.jsonl:3: unknown label \"gardening\""));
  options_.rows.skip_bad = true;
  const auto skipped = EvaluateClassifier(options_);
  ASSERT_TRUE(skipped.ok());
  EXPECT_EQ(skipped->metrics.rows, 2U);  // one text may have two labels here: one of them is an error of the classifier
  EXPECT_EQ(skipped->bad, 1U);
}

TEST(Auroc, CountsPairs) {
  EXPECT_DOUBLE_EQ(Auroc({3, 4}, {1, 2}), 1);
  EXPECT_DOUBLE_EQ(Auroc({1, 2}, {3, 4}), 0);
  EXPECT_DOUBLE_EQ(Auroc({1, 3}, {2}), 0.5);
  EXPECT_DOUBLE_EQ(Auroc({2}, {2, 1}), 0.75);
  EXPECT_DOUBLE_EQ(Auroc({}, {1}), 0.5);
}

}  // namespace
}  // namespace pointsman::offline
