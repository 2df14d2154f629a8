#include "router/offline/fit_predictor.h"

#include <gtest/gtest.h>

#include "router/classifier/ensemble.h"
#include "router/classifier/predictor.h"
#include "router/offline/pair_curve.h"
#include "tests/support/embedding.h"
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

TEST(FitPredictor, TheVectorsOfTheTextsJoinTheStack) {
  PredictorOptions options = Small();
  options.embedding = ::pointsman::testing::TopicEmbedding();
  const auto fit = FitPredictor(ScoredTexts(600), kExperts, options, {});
  ASSERT_TRUE(fit) << fit.error().message;
  EXPECT_EQ(classifier::Flaw(fit->model), "");
  const std::size_t dimensions = options.embedding->dimensions();
  ASSERT_EQ(static_cast<std::size_t>(fit->model.vector_weights_size()), dimensions * 2);
  double weight = 0;
  for (const StackWeight& w : fit->stack) weight += w.name.starts_with("vector") ? w.in_mean + w.in_deviation : 0;
  EXPECT_GT(weight, 0);

  // What is served is the model without vectors plus vector * weights.
  const std::string text = "what is the orbit of a comet";
  v1::Predictor without = fit->model;
  without.clear_embedding();
  without.clear_vector_weights();
  EXPECT_EQ(classifier::Flaw(without), "");
  std::vector<float> expected = classifier::Predictor(without, "").Predict(text), vector(dimensions);
  classifier::EmbedText(classifier::StaticEmbedding(*options.embedding), text, options.max_bytes, vector);
  for (std::size_t d = 0; d < dimensions; ++d) {
    for (std::size_t e = 0; e < 2; ++e)
      expected[e] += vector[d] * fit->model.vector_weights(static_cast<int>(2 * d + e));
  }
  const std::vector<float> served = classifier::Predictor(fit->model, "").Predict(text);
  EXPECT_NEAR(served[0], expected[0], 1e-5);
  EXPECT_NEAR(served[1], expected[1], 1e-5);
  EXPECT_NEAR(served[1], 0.9, 0.2);

  v1::Predictor broken = fit->model;
  broken.add_vector_weights(0);
  EXPECT_EQ(classifier::Flaw(broken), "it has the wrong number of weights for the text's vector");
  broken = fit->model;
  broken.clear_embedding();
  EXPECT_EQ(classifier::Flaw(broken), "it has the wrong number of weights for the text's vector");
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
