#include "router/offline/evaluate_pair.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>

#include "router/classifier/predictor.h"
#include "router/offline/train_predictor.h"
#include "tests/support/scored_texts.h"
#include "tests/support/temp_dir.h"

namespace pointsman::offline {
namespace {

using ::pointsman::testing::ScoredLines;
using ::pointsman::testing::ScoredTexts;
using ::testing::HasSubstr;

struct EvaluatePairTest : ::testing::Test {
  ::pointsman::testing::TempDir dir;
  std::vector<ScoredRow> rows = ScoredTexts(500);
  EvaluatePairOptions options;

  EvaluatePairTest() {
    std::ofstream(dir.path() / "rows.jsonl") << ScoredLines(rows);
    options.train = options.test = {dir.path() / "rows.jsonl"};
    options.weak = {"small"};
    options.strong = {"large"};
    options.train_range = HashRange{0, 60};
    options.test_range = HashRange{60, 100};
    options.resamples = 50;
    options.fit.bucket_bits = 12;
  }
};

TEST_F(EvaluatePairTest, MeasuresOnRowsThatItDidNotLearnFrom) {
  const auto report = EvaluatePair(options);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->train_n, 300U);
  EXPECT_EQ(report->n, 200U);
  EXPECT_EQ(report->shared, 0U);
  EXPECT_GT(report->figures.apgr, 0.7);
  EXPECT_GT(report->oracle_apgr, report->figures.apgr);
  EXPECT_LT(report->figures.cpt50, report->figures.cpt80);
  const boost::json::object json = boost::json::parse(PairReportJson(*report)).as_object();
  EXPECT_EQ(json.at("apgr").as_double(), report->figures.apgr);
  EXPECT_EQ(json.at("cpt50").as_double(), report->figures.cpt50);
  EXPECT_EQ(json.at("n").to_number<int>(), 200);
  EXPECT_EQ(json.at("curve").as_array().size(), 101U);
  EXPECT_EQ(json.at("curve").as_array().back().at("pgr").to_number<double>(), 1);
  EXPECT_THAT(PairReportText(*report), HasSubstr("APGR"));
}

TEST_F(EvaluatePairTest, DrawsTrainingRowsBySeed) {
  options.train_rows = 100;
  const auto first = EvaluatePair(options), again = EvaluatePair(options);
  options.seed = 2;
  const auto other = EvaluatePair(options);
  EXPECT_EQ(first->train_n, 100U);
  EXPECT_EQ(first->figures.apgr, again->figures.apgr);
  EXPECT_NE(first->figures.apgr, other->figures.apgr);
  options.train_rows = 301;
  EXPECT_THAT(EvaluatePair(options).error().message, HasSubstr("301 of 300"));
}

TEST_F(EvaluatePairTest, SaysWhenTestRowsWereTrainedOnOrHaveNoGap) {
  options.test_range = HashRange{50, 100};
  EXPECT_EQ(EvaluatePair(options)->shared, 50U);
  std::swap(options.weak, options.strong);
  EXPECT_THAT(EvaluatePair(options).error().message, HasSubstr("no gap"));
}

// What is evaluated is what is served: the artifact of the same rows predicts the same bits.
TEST_F(EvaluatePairTest, AServedArtifactRanksTheTestRowsExactlyAsTheEvaluation) {
  const auto report = EvaluatePair(options);
  TrainPredictorOptions train;
  train.rows = options.train;
  train.range = options.train_range;
  train.experts = {"small", "large"};
  train.fit = options.fit;
  train.out = dir.path() / "p.pmp";
  const auto trained = TrainPredictor(train);
  ASSERT_TRUE(trained) << trained.error().message;
  EXPECT_GT(trained->predicted_best, 0);
  EXPECT_GE(trained->oracle, trained->predicted_best);
  const auto served = classifier::Predictor::Load(train.out);
  ASSERT_TRUE(served) << served.error().message;
  EXPECT_EQ((*served)->checksum(), trained->checksum);
  std::vector<double> scores, gains;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i % 100 < 60) continue;
    const std::vector<float> quality = (*served)->Predict(rows[i].text);
    scores.push_back(static_cast<double>(quality[1]) - quality[0]);
    gains.push_back(rows[i].scores[1] - rows[i].scores[0]);
  }
  const std::vector<CurvePoint> curve = PairCurve(scores, gains);
  ASSERT_EQ(curve.size(), report->curve.size());
  for (std::size_t i = 1; i < curve.size(); ++i) {
    EXPECT_EQ(curve[i].threshold, report->curve[i].threshold);  // the same bits
    EXPECT_EQ(curve[i].recovered, report->curve[i].recovered);
  }
}

}  // namespace
}  // namespace pointsman::offline
