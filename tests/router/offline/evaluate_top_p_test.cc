#include "router/offline/evaluate_top_p.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "router/offline/random.h"

namespace pointsman::offline {
namespace {

// Three categories. Half of the requests are certain and right; the others are (0.5, 0.3, 0.2) in some order, and the
// label is each of them exactly so often.
struct Known {
  std::vector<std::string> categories = {"a", "b", "c"};
  Matrix posteriors{2000, 3};
  std::vector<std::uint32_t> label;

  Known() {
    for (std::size_t i = 0; i < posteriors.rows; ++i) {
      const std::size_t likeliest = (i / 2) % 3;
      const auto row = posteriors.Row(i);
      if (i % 2 == 0) {
        row[likeliest] = 1;
        label.push_back(static_cast<std::uint32_t>(likeliest));
        continue;
      }
      row[likeliest] = 0.5F;
      row[(likeliest + 1) % 3] = 0.3F;
      row[(likeliest + 2) % 3] = 0.2F;
      const std::size_t tenth = (i / 2) % 10;
      label.push_back(static_cast<std::uint32_t>((likeliest + (tenth < 5 ? 0 : tenth < 8 ? 1 : 2)) % 3));
    }
  }
  TopPEvaluation Evaluate(TopPOptions options = {}) const {
    return EvaluateTopP(categories, {posteriors, label}, {posteriors, label}, options);
  }
};

const TopPPoint& At(const std::vector<TopPPoint>& points, double mass) {
  return *std::find_if(points.begin(), points.end(), [mass](const TopPPoint& p) { return p.mass == mass; });
}

TEST(EvaluateTopP, SizesAndHitsAreThoseOfTheDistribution) {
  const TopPEvaluation e = Known().Evaluate();
  ASSERT_EQ(e.fixed.size(), 3U);
  EXPECT_NEAR(e.fixed[0], 0.75, 1e-9);
  EXPECT_NEAR(e.fixed[1], 0.90, 1e-9);
  EXPECT_NEAR(e.fixed[2], 1.0, 1e-9);
  EXPECT_NEAR(At(e.free, 0.4).size, 1, 1e-9);  // 0.5 is enough
  EXPECT_NEAR(At(e.free, 0.4).hit, 0.75, 1e-9);
  EXPECT_NEAR(At(e.free, 0.7).size, 1.5, 1e-9);
  EXPECT_NEAR(At(e.free, 0.7).hit, 0.90, 1e-9);
  EXPECT_NEAR(At(e.free, 0.7).fixed, 0.825, 1e-9);  // half top-1, half top-2
  EXPECT_GT(At(e.free, 0.7).gain_interval.low, 0);
  EXPECT_NEAR(At(e.free, 0.9).size, 2, 1e-9);
  EXPECT_NEAR(At(e.free, 0.9).hit, 1, 1e-9);
}

TEST(EvaluateTopP, TheCapHolds) {
  TopPOptions options;
  options.most = 2;
  const TopPEvaluation e = Known().Evaluate(options);
  EXPECT_NEAR(At(e.capped, 0.9).size, 1.5, 1e-9);
  EXPECT_NEAR(At(e.capped, 0.9).hit, 0.9, 1e-9);
}

TEST(EvaluateTopP, Top2sHitRateCostsFewerExperts) {
  const TopPEvaluation e = Known().Evaluate();
  EXPECT_GT(e.as_top_2.mass, 0.49);  // 0.5 alone does not reach top-2's hit rate
  EXPECT_LE(e.as_top_2.mass, 0.51);
  EXPECT_NEAR(e.as_top_2.size, 1.5, 1e-9);
  EXPECT_NEAR(e.as_top_2.hit, e.fixed[1], 1e-9);
}

TEST(EvaluateTopP, HardRequestsGetMoreExperts) {
  const TopPEvaluation e = Known().Evaluate();
  ASSERT_EQ(e.deciles.size(), 10U);
  EXPECT_NEAR(e.deciles.front().size, 1, 1e-9);
  EXPECT_NEAR(e.deciles.front().top_1, 1, 1e-9);
  EXPECT_NEAR(e.deciles.back().size, 2, 1e-9);
  EXPECT_LT(e.deciles.back().top_1, 0.7);
}

TEST(EvaluateTopP, TheControllerHoldsTheMeanWhereItCan) {
  // All requests alike in kind, harder after the shift: largest probability in [0.6, 1], then in [0.34, 0.6].
  Matrix posteriors(2000, 3);
  SplitMix random(1);
  for (std::size_t i = 0; i < posteriors.rows; ++i) {
    const double u = static_cast<double>(random.Below(1000)) / 1000;
    const double largest = i < 1000 ? 0.6 + 0.4 * u : 0.34 + 0.26 * u;
    posteriors.Row(i)[0] = static_cast<float>(largest);
    posteriors.Row(i)[1] = static_cast<float>((1 - largest) * 0.6);
    posteriors.Row(i)[2] = static_cast<float>((1 - largest) * 0.4);
  }
  const std::vector<std::uint32_t> label(posteriors.rows, 0);
  TopPOptions options;
  options.mean_experts = 1.5;
  const auto c = EvaluateTopP({"a", "b", "c"}, {posteriors, label}, {posteriors, label}, options).controller;
  EXPECT_NEAR(c.easy.back(), 1.5, 0.075);
  EXPECT_NEAR(c.hard.back(), 1.5, 0.075);
  EXPECT_GT(c.hard.front(), 1.6);  // the shift is felt
  EXPECT_GT(c.uncontrolled, 1.9);  // and stays without the controller
  EXPECT_LT(c.mass_hard, c.mass_easy);
  EXPECT_GT(c.settled_hard, 0U);
  EXPECT_LT(c.settled_hard, TopPController::kWindow * TopPController::kWindows);
}

TEST(EvaluateTopP, ACategoryThatTheClassifierDoesNotHaveIsNeverHit) {
  Known known;
  std::fill(known.label.begin(), known.label.end(), kNoLabel);
  EXPECT_EQ(known.Evaluate().fixed[2], 0);
}

}  // namespace
}  // namespace pointsman::offline
