#include "router/offline/evaluate_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "tests/router/offline/map_rows.h"
#include "tests/support/temp_dir.h"

namespace pointsman::offline {
namespace {

using ::testing::HasSubstr;

class EvaluateMapTest : public ::testing::Test {
 protected:
  EvaluateMapTest() {
    const MapRows rows(900);
    options_.train = options_.test = dir_.Write("rows.csv", rows.outcomes);
    options_.experts = dir_.Write("experts.json", kMapExperts);
    options_.train_range = HashRange{0, 60};
    options_.test_range = HashRange{60, 100};
    questions_ = dir_.Write("questions.jsonl", rows.questions);
  }
  std::string Error() {
    const auto evaluation = EvaluateMap(options_);
    return evaluation.ok() ? "" : evaluation.error().message;
  }

  pointsman::testing::TempDir dir_;
  EvaluateMapOptions options_;
  std::filesystem::path questions_;
};

TEST_F(EvaluateMapTest, TopicsGoToTheirExpertsAndBeatTheBestSingle) {
  const auto e = EvaluateMap(options_);  // without questions: the rows' categories
  ASSERT_TRUE(e.ok()) << e.error().message;
  EXPECT_TRUE(e->gold);
  EXPECT_EQ(e->n, 360U);
  EXPECT_EQ(e->train_rows, 540U);
  EXPECT_EQ(e->best_single_expert, "big");
  EXPECT_GT(e->gain_interval.low, 0.05);
  EXPECT_GT(e->oracle, e->accuracy);
  EXPECT_LT(e->random, e->best_single);
  EXPECT_NEAR(e->mean_active, (70 + 7 + 8) / 3.0, 1);
}

TEST_F(EvaluateMapTest, ClassifiedTextsDoAboutAsWellAsNamedCategories) {
  options_.questions = questions_;
  const auto e = EvaluateMap(options_);
  ASSERT_TRUE(e.ok()) << e.error().message;
  EXPECT_FALSE(e->gold);
  EXPECT_GT(*e->category_accuracy, 0.95);
  EXPECT_GT(e->gain, 0.05);
}

TEST_F(EvaluateMapTest, TheBudgetIsKept) {
  options_.questions = questions_;
  options_.budget = 20;
  const auto e = EvaluateMap(options_);
  ASSERT_TRUE(e.ok()) << e.error().message;
  EXPECT_LE(e->train_cost, 20 + 1e-9);
  EXPECT_GT(e->cost_weight, 0);
  EXPECT_LE(e->mean_active, 20 + 1e-9);
  EXPECT_GT(e->mean_active, 17);
  EXPECT_GT(e->gain, 0.05);
  options_.budget = 5;
  EXPECT_THAT(Error(), HasSubstr("below the cheapest expert"));
  options_.budget = 20;
  options_.experts.clear();
  EXPECT_THAT(Error(), HasSubstr("--budget needs --experts"));
}

TEST_F(EvaluateMapTest, RowsThatWereLearntFromAreNoTest) {
  options_.train_range.reset();
  EXPECT_THAT(Error(), HasSubstr("both the training and the test set"));
  options_.train = dir_.Write("copy.csv", MapRows(900).outcomes);  // the same rows in another file
  EXPECT_THAT(Error(), HasSubstr("(the same id)"));
}

TEST_F(EvaluateMapTest, QuestionsMustBeThere) {
  options_.questions = dir_.Write("few.jsonl", MapRows(10).questions);
  EXPECT_THAT(Error(), HasSubstr("few.jsonl: no question with the id \"q10\""));
  options_.questions.clear();
  options_.method = ScoreMethod::kKernel;
  EXPECT_THAT(Error(), HasSubstr("need texts"));
}

TEST_F(EvaluateMapTest, JsonHasTheFigures) {
  const auto e = EvaluateMap(options_);
  const auto json = boost::json::parse(EvaluationJson(*e));
  for (const char* key : {"accuracy", "mean_active_billion", "best_single", "oracle", "random"}) {
    EXPECT_TRUE(json.at(key).is_double()) << key;
  }
  EXPECT_EQ(json.at("n").as_int64(), 360);
  EXPECT_EQ(json.at("accuracy_ci95").as_array().size(), 2U);
}

}  // namespace
}  // namespace pointsman::offline
