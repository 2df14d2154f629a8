#include "router/classifier/predictor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <thread>

#include "router/offline/fit_predictor.h"
#include "tests/support/scored_texts.h"
#include "tests/support/temp_dir.h"

namespace pointsman::classifier {
namespace {

using ::testing::HasSubstr;

struct PredictorTest : ::testing::Test {
  static const v1::Predictor& Model() {
    static const v1::Predictor model = [] {
      offline::PredictorOptions options;
      options.bucket_bits = 10;
      return offline::FitPredictor(pointsman::testing::ScoredTexts(300), {"small", "large"}, options, {})->model;
    }();
    return model;
  }
};

TEST_F(PredictorTest, AFileServesTheSameBitsAsTheModelInMemoryOnEveryThread) {
  pointsman::testing::TempDir dir;
  v1::PredictorArtifact artifact;
  artifact.set_version(kPredictorVersion);
  *artifact.mutable_predictor() = Model();
  const auto checksum = WritePredictor(dir.path() / "p.pmp", artifact);
  ASSERT_TRUE(checksum) << checksum.error().message;
  const auto loaded = Predictor::Load(dir.path() / "p.pmp");
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ((*loaded)->checksum(), *checksum);
  const Predictor memory(Model(), "");
  for (const char* text : {"", "why is the comet a planet?", "rose\nA. soil\nB. 12 \xFF\xFE"}) {
    const std::vector<float> expected = memory.Predict(text);
    EXPECT_EQ((*loaded)->Predict(text), expected);
    std::vector<float> elsewhere;
    std::thread([&] { elsewhere = (*loaded)->Predict(text); }).join();
    EXPECT_EQ(elsewhere, expected);
  }
}

TEST_F(PredictorTest, RefusesFilesOfAnotherFormatAndImpossibleModels) {
  pointsman::testing::TempDir dir;
  v1::PredictorArtifact artifact;
  artifact.set_version(kPredictorVersion + 1);
  *artifact.mutable_predictor() = Model();
  ASSERT_TRUE(WritePredictor(dir.path() / "p.pmp", artifact));
  EXPECT_THAT(Predictor::Load(dir.path() / "p.pmp").error().message, HasSubstr("another version"));
  artifact.set_version(kPredictorVersion);
  artifact.mutable_predictor()->set_bias(0, std::nanf(""));
  ASSERT_TRUE(WritePredictor(dir.path() / "p.pmp", artifact));
  EXPECT_THAT(Predictor::Load(dir.path() / "p.pmp").error().message, HasSubstr("not finite"));

  EXPECT_EQ(Flaw(Model()), "");
  const auto with = [](auto change) {
    v1::Predictor model = Model();
    change(model);
    return Flaw(model);
  };
  EXPECT_NE(with([](v1::Predictor& m) { m.mutable_weights()->pop_back(); }), "");
  EXPECT_NE(with([](v1::Predictor& m) { m.mutable_idf()->pop_back(); }), "");
  EXPECT_NE(with([](v1::Predictor& m) { m.set_experts(1, "small"); }), "");
  EXPECT_NE(with([](v1::Predictor& m) { m.set_groups(3); }), "");
  EXPECT_NE(with([](v1::Predictor& m) { m.mutable_statistic_mean()->RemoveLast(); }), "");
  EXPECT_NE(with([](v1::Predictor& m) { m.mutable_statistic_weights()->RemoveLast(); }), "");
  EXPECT_NE(with([](v1::Predictor& m) { m.clear_calibration(); }), "");
  EXPECT_NE(with([](v1::Predictor& m) { m.set_max_bytes(1 << 20); }), "");
}

TEST_F(PredictorTest, TheThresholdSendsTheAskedShareOfTheCalibrationRows) {
  const Predictor predictor(Model(), "");
  const std::span<const float> rows = predictor.calibration();
  ASSERT_EQ(rows.size(), 600U);
  for (const double share : {0.1, 0.25, 0.5, 0.9}) {
    const double threshold = predictor.GainThreshold(0, 1, share);
    double above = 0;
    for (std::size_t r = 0; r < rows.size(); r += 2) {
      above += static_cast<double>(rows[r + 1]) - rows[r] >= threshold ? 1.0 / 300 : 0;
    }
    EXPECT_NEAR(above, share, 0.01) << share;
  }
  EXPECT_EQ(predictor.GainThreshold(0, 1, 0), std::numeric_limits<double>::infinity());
  EXPECT_EQ(predictor.GainThreshold(0, 1, 1), -std::numeric_limits<double>::infinity());
}

}  // namespace
}  // namespace pointsman::classifier
