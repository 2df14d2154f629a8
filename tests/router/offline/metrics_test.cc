#include "router/offline/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace pointsman::offline {
namespace {

Prediction Make(std::uint32_t truth, std::vector<float> p) {
  double entropy = 0;
  for (const float v : p) entropy -= v > 0 ? v * std::log(v) : 0;
  return {truth, std::move(p), entropy};
}

TEST(Metrics, AreThoseOfAHandMadeTable) {
  const std::vector<Prediction> predictions = {Make(0, {0.9F, 0.1F}), Make(0, {0.6F, 0.4F}), Make(0, {0.2F, 0.8F}),
                                               Make(1, {0.3F, 0.7F})};
  const Metrics metrics = Measure(predictions, {"a", "b"});
  EXPECT_DOUBLE_EQ(metrics.accuracy, 0.75);
  EXPECT_DOUBLE_EQ(metrics.categories[0].precision, 1);
  EXPECT_DOUBLE_EQ(metrics.categories[0].recall, 2.0 / 3);
  EXPECT_DOUBLE_EQ(metrics.categories[1].precision, 0.5);
  EXPECT_DOUBLE_EQ(metrics.categories[1].recall, 1);
  EXPECT_NEAR(metrics.macro_f1, (0.8 + 2.0 / 3) / 2, 1e-12);
  EXPECT_NEAR(metrics.nll, -(std::log(0.9) + std::log(0.6) + std::log(0.2) + std::log(0.7)) / 4, 1e-6);
  EXPECT_NEAR(metrics.ece, (0.1 + 0.4 + 0.8 + 0.3) / 4, 1e-6);  // each in a bin of its own
  ASSERT_EQ(metrics.confusions.size(), 1U);
  EXPECT_EQ(metrics.confusions[0].truth + metrics.confusions[0].predicted, "ab");
  EXPECT_DOUBLE_EQ(metrics.curve.back().coverage, 1);
  EXPECT_DOUBLE_EQ(metrics.curve.back().accuracy, 0.75);
  EXPECT_DOUBLE_EQ(metrics.curve.front().accuracy, 1);
}

TEST(Metrics, HoldWhatThePlotsNeed) {
  const std::vector<Prediction> predictions = {Make(0, {0.9F, 0.1F}), Make(0, {0.6F, 0.4F}), Make(0, {0.2F, 0.8F}),
                                               Make(1, {0.3F, 0.7F})};
  const Metrics metrics = Measure(predictions, {"a", "b"});
  EXPECT_EQ(metrics.table, (std::vector<std::size_t>{2, 1, 0, 1}));
  EXPECT_NEAR(metrics.categories[0].mean_probability, (0.9 + 0.6 + 0.2) / 3, 1e-6);
  EXPECT_NEAR(metrics.categories[1].mean_probability, 0.7, 1e-6);
  ASSERT_EQ(metrics.calibration.size(), 15U);
  const CalibrationBin& bin = metrics.calibration[12];  // 0.8 of the wrong answer
  EXPECT_NEAR(bin.low, 0.8, 1e-9);
  EXPECT_EQ(bin.rows, 1U);
  EXPECT_NEAR(bin.probability, 0.8, 1e-6);
  EXPECT_EQ(bin.accuracy, 0);
  EXPECT_EQ(metrics.calibration[0].rows, 0U);
  ASSERT_EQ(metrics.fine_curve.size(), 100U);
  EXPECT_DOUBLE_EQ(metrics.fine_curve[24].coverage, 0.25);
  EXPECT_DOUBLE_EQ(metrics.fine_curve[99].accuracy, 0.75);
  EXPECT_EQ(MostConfused(metrics, 0).size(), 0U);
  EXPECT_EQ(MostConfused(metrics, 5).size(), 1U);
}

TEST(Metrics, OfNothingAreZero) {
  EXPECT_EQ(Measure({}, {"a", "b"}).rows, 0U);
  EXPECT_EQ(EntropyAtCoverage({}, 0.9), 0);
}

// Truths drawn from p, predictions p^3 renormalised: the temperature that undoes it is 3.
TEST(FitTemperature, FindsTheOneThatOverconfidenceNeeds) {
  std::mt19937 random(3);
  std::vector<Prediction> predictions;
  for (int i = 0; i < 20000; ++i) {
    const double p = 0.02 + 0.96 * (static_cast<double>(random()) / 4294967296.0);
    const auto sharp = static_cast<float>(p * p * p / (p * p * p + (1 - p) * (1 - p) * (1 - p)));
    predictions.push_back(Make(static_cast<double>(random()) / 4294967296.0 < p ? 0 : 1, {sharp, 1 - sharp}));
  }
  EXPECT_NEAR(FitTemperature(predictions), 3, 0.15);
}

TEST(EntropyAtCoverage, CoversAtLeastTheWantedShare) {
  std::vector<Prediction> predictions;
  for (int i = 1; i <= 10; ++i) predictions.push_back({0, {1, 0}, i * 0.1});
  EXPECT_DOUBLE_EQ(EntropyAtCoverage(predictions, 0.95), 1.0);
  EXPECT_DOUBLE_EQ(EntropyAtCoverage(predictions, 0.9), 0.9);
  EXPECT_DOUBLE_EQ(EntropyAtCoverage(predictions, 0.01), 0.1);
}

}  // namespace
}  // namespace pointsman::offline
