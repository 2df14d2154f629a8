#include "router/offline/pair_curve.h"

#include <gtest/gtest.h>

#include <cmath>

#include "router/offline/random.h"

namespace pointsman::offline {
namespace {

TEST(PairCurve, IsThatOfAHandMadeTable) {
  const std::vector<double> scores = {0.9, 0.1, 0.5, 0.3}, gains = {1, 0, 0, 1};
  const std::vector<CurvePoint> curve = PairCurve(scores, gains);
  ASSERT_EQ(curve.size(), 5U);
  const double recovered[] = {0, 0.5, 0.5, 1, 1};
  for (std::size_t i = 0; i < curve.size(); ++i) {
    EXPECT_DOUBLE_EQ(curve[i].strong_share, static_cast<double>(i) / 4);
    EXPECT_DOUBLE_EQ(curve[i].recovered, recovered[i]);
  }
  EXPECT_TRUE(std::isinf(curve[0].threshold));
  EXPECT_DOUBLE_EQ(curve[2].threshold, 0.5);
  EXPECT_DOUBLE_EQ(Area(curve), (0.25 + 0.5 + 0.75 + 1) / 4);
  EXPECT_DOUBLE_EQ(ShareToRecover(curve, 0.5), 0.25);
  EXPECT_DOUBLE_EQ(ShareToRecover(curve, 0.8), 0.5 + 0.25 * 0.6);
}

TEST(PairCurve, TakesEqualScoresInExpectation) {
  // Whatever the order of the rows: all scores equal is a straight line.
  const std::vector<double> scores(6, 0.4), gains = {1, 0, 1, -1, 0, 1};
  const std::vector<CurvePoint> curve = PairCurve(scores, gains);
  EXPECT_EQ(curve.size(), 2U);
  EXPECT_DOUBLE_EQ(Area(curve), 0.5);
  EXPECT_DOUBLE_EQ(ShareToRecover(curve, 0.8), 0.8);

  // A tie inside the order: the mean over both orders of the tied rows.
  const std::vector<double> tied = {3, 2, 2, 1}, some = {0, 1, 0, 1};
  const std::vector<double> first = {3, 2.1, 2, 1}, second = {3, 2, 2.1, 1};
  const double mean = (Area(PairCurve(first, some)) + Area(PairCurve(second, some))) / 2;
  EXPECT_DOUBLE_EQ(Area(PairCurve(tied, some)), mean);
}

TEST(PairCurve, TheGainsThemselvesAreTheOracleAndTheirNegativeTheWorst) {
  SplitMix random(7);
  std::vector<double> scores, gains, reverse;
  for (int i = 0; i < 400; ++i) {
    gains.push_back(static_cast<double>(random.Below(3)) - 0.7);
    reverse.push_back(-gains.back());
    scores.push_back(static_cast<double>(random.Below(1000)));
  }
  const double oracle = Figures(gains, gains).apgr, worst = Figures(reverse, gains).apgr;
  EXPECT_GT(oracle, Figures(scores, gains).apgr);
  EXPECT_LT(worst, Figures(scores, gains).apgr);
  EXPECT_NEAR(oracle + worst, 1, 1e-12);  // the curves are each other turned by half a turn
}

TEST(PairCurve, BootstrapIsCentredRepeatableAndNarrowsWithRows) {
  const auto draw = [](int rows) {
    SplitMix random(3);
    std::vector<double> scores, gains;
    for (int i = 0; i < rows; ++i) {
      scores.push_back(static_cast<double>(random.Below(1000)) / 1000);
      gains.push_back(static_cast<double>(random.Below(1000)) < 200 + 600 * scores.back() ? 1 : 0);
    }
    return std::pair(scores, gains);
  };
  const auto [few_scores, few_gains] = draw(200);
  const auto [many_scores, many_gains] = draw(3200);
  const PairSpreads few = Bootstrap(few_scores, few_gains, 300, 1), again = Bootstrap(few_scores, few_gains, 300, 1);
  const PairSpreads many = Bootstrap(many_scores, many_gains, 300, 1);
  EXPECT_EQ(few.resamples, 300U);
  EXPECT_EQ(few.apgr.deviation, again.apgr.deviation);
  EXPECT_NEAR(few.apgr.deviation / many.apgr.deviation, 4, 1);  // root of 16
  const double apgr = Figures(few_scores, few_gains).apgr;
  EXPECT_LT(few.apgr.low, apgr);
  EXPECT_GT(few.apgr.high, apgr);
  EXPECT_NEAR(few.apgr.high - few.apgr.low, 3.92 * few.apgr.deviation, 1.2 * few.apgr.deviation);
  EXPECT_NE(Bootstrap(few_scores, few_gains, 300, 2).apgr.deviation, few.apgr.deviation);
}

TEST(PairCurve, BootstrapLeavesOutResamplesWithoutAGap) {
  const std::vector<double> scores = {1, 2, 3}, gains = {1, -1, 0.5};
  const PairSpreads spreads = Bootstrap(scores, gains, 500, 1);
  EXPECT_GT(spreads.resamples, 100U);
  EXPECT_LT(spreads.resamples, 500U);
}

}  // namespace
}  // namespace pointsman::offline
