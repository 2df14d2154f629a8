#include "router/offline/gate_figures.h"

#include <gtest/gtest.h>

#include <cmath>

#include "router/offline/random.h"

namespace pointsman::offline {
namespace {

TEST(FitLogitTemperature, FindsTheTemperatureThatMadeTheTruth) {
  for (const double wanted : {0.02, 0.7, 30.0}) {
    SplitMix random(3);
    std::vector<float> logits;
    std::vector<std::uint32_t> truth;
    for (int i = 0; i < 4000; ++i) {
      double p[3], total = 0;
      for (double& value : p) {
        const double logit = (static_cast<double>(random.Below(1001)) / 1000 * 4) * wanted;
        logits.push_back(static_cast<float>(logit));
        total += value = std::exp(logit / wanted);
      }
      double draw = static_cast<double>(random.Below(1'000'000)) / 1e6 * total;
      std::uint32_t drawn = 0;
      while (drawn < 2 && draw > p[drawn]) draw -= p[drawn++];
      truth.push_back(drawn);
    }
    EXPECT_NEAR(FitLogitTemperature(logits, truth, 3) / wanted, 1, 0.08) << wanted;
  }
}

TEST(GateFigures, CountTheFirstAndTheFirstTwoOfEqualsTheLowerIndex) {
  const std::vector<float> logits = {2, 1, 0, /**/ 1, 1, 0, /**/ 1, 1, 0, /**/ 0, 1, 2};
  const std::vector<std::uint32_t> truth = {0, 0, 1, 0};
  EXPECT_EQ(RightOnes(logits, truth, 3), (std::vector<std::uint8_t>{1, 1, 0, 0}));
  const GateFormFigures figures = FiguresOfLogits("form", logits, truth, {1, 1, 1, 1}, {"a", "b", "c"});
  EXPECT_EQ(figures.name, "form");
  EXPECT_EQ(figures.top1, 0.5);
  EXPECT_EQ(figures.top2, 0.75);
}

TEST(GateFigures, AreComparedRowByRow) {
  GateFormFigures figures;
  CompareWithJoint({1, 1, 1, 0}, {1, 0, 0, 1}, figures);
  EXPECT_DOUBLE_EQ(figures.behind_joint, 0.25);
  EXPECT_DOUBLE_EQ(figures.behind_joint_se, std::sqrt(3 - 0.25) / 4);
}

}  // namespace
}  // namespace pointsman::offline
