#include "router/offline/fit_predictor.h"

#include <gtest/gtest.h>

#include "router/classifier/predictor.h"
#include "router/offline/pair_curve.h"
#include "tests/support/scored_texts.h"

namespace pointsman::offline {
namespace {

using ::pointsman::testing::ScoredTexts;

const std::vector<std::string> kExperts = {"small", "large"};
PredictorOptions Small() {
  PredictorOptions options;
  options.bucket_bits = 12;
  return options;
}

TEST(FitPredictor, FindsWhereEachExpertIsGood) {
  const auto fit = FitPredictor(ScoredTexts(600), kExperts, Small(), {});
  ASSERT_TRUE(fit) << fit.error().message;
  EXPECT_EQ(classifier::Flaw(fit->model), "");
  const classifier::Predictor served(fit->model, "");
  const std::vector<float> gardens = served.Predict("what is the soil of a rose hedge and lawn"),
                           stars = served.Predict("what is the orbit of a comet or planet in the galaxy"),
                           engines = served.Predict("what is the torque of a diesel piston and crankshaft");
  EXPECT_NEAR(gardens[0], 0.9, 0.2);
  EXPECT_NEAR(gardens[1], 0.9, 0.2);
  EXPECT_NEAR(stars[0], 0.1, 0.2);
  EXPECT_NEAR(stars[1], 0.9, 0.2);
  EXPECT_NEAR(engines[0], 0.1, 0.2);
  EXPECT_NEAR(engines[1], 0.1, 0.2);
}

TEST(FitPredictor, CrossFittedPredictionsAreOfTheRowsOrderAndRankTheGain) {
  const std::vector<ScoredRow> rows = ScoredTexts(600);
  const auto fit = FitPredictor(rows, kExperts, Small(), {});
  ASSERT_EQ(fit->cross_fitted.size(), 1200U);
  std::vector<double> scores, gains;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    scores.push_back(fit->cross_fitted[2 * r + 1] - fit->cross_fitted[2 * r]);
    gains.push_back(rows[r].scores[1] - rows[r].scores[0]);
  }
  EXPECT_GT(Figures(scores, gains).apgr, 0.7);  // the topic itself: 0.8
}

TEST(FitPredictor, SaysNothingOfRowsThatItWasFittedOnWhereThereIsNothingToLearn) {
  // Quality without any relation to the text: cross-fitted predictions must not know it.
  std::vector<ScoredRow> rows = ScoredTexts(400), other = ScoredTexts(400, 9);
  std::vector<double> scores, gains;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    rows[r].scores = other[(r * 7 + 3) % rows.size()].scores;
    rows[r].label = kNoLabel;
  }
  const auto fit = FitPredictor(rows, kExperts, Small(), {});
  for (std::size_t r = 0; r < rows.size(); ++r) {
    scores.push_back(fit->cross_fitted[2 * r + 1] - fit->cross_fitted[2 * r]);
    gains.push_back(rows[r].scores[1] - rows[r].scores[0]);
  }
  EXPECT_NEAR(Figures(scores, gains).apgr, 0.5, 0.12);
}

TEST(FitPredictor, WorksWithoutLabelsAndGivesEqualBytesTwice) {
  std::vector<ScoredRow> rows = ScoredTexts(200);
  for (ScoredRow& row : rows) row.label = kNoLabel;
  const auto first = FitPredictor(rows, kExperts, Small(), {}), second = FitPredictor(rows, kExperts, Small(), {});
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->model.SerializeAsString(), second->model.SerializeAsString());
  for (const StackWeight& weight : first->stack) {
    EXPECT_TRUE(weight.name.find("label") == std::string::npos || weight.in_deviation == 0) << weight.name;
  }
}

TEST(FitPredictor, RefusesTooFewRowsOrExperts) {
  EXPECT_FALSE(FitPredictor(ScoredTexts(49), kExperts, Small(), {}).ok());
  std::vector<ScoredRow> rows = ScoredTexts(60);
  for (ScoredRow& row : rows) row.scores.resize(1);
  EXPECT_FALSE(FitPredictor(rows, {"small"}, Small(), {}).ok());
  for (ScoredRow& row : rows) row = {"same", 0, {0, 1}};
  EXPECT_FALSE(FitPredictor(rows, kExperts, Small(), {}).ok());
}

}  // namespace
}  // namespace pointsman::offline
