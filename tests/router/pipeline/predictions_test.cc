#include "router/pipeline/predictions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <cmath>
#include <set>

#include "router/offline/train_predictor.h"
#include "router/pipeline/serve.h"
#include "tests/support/scored_texts.h"
#include "tests/support/temp_dir.h"

namespace pointsman::pipeline {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

struct PredictionsTest : ::testing::Test {
  static pointsman::testing::TempDir& Dir() {
    static pointsman::testing::TempDir dir;
    return dir;
  }
  static const std::filesystem::path& Artifact() {
    static const std::filesystem::path artifact = [] {
      offline::TrainPredictorOptions train;
      train.rows = {Dir().Write("rows.jsonl", pointsman::testing::ScoredLines(pointsman::testing::ScoredTexts(300)))};
      train.fit.bucket_bits = 10;
      train.out = Dir().path() / "p.pmp";
      EXPECT_TRUE(offline::TrainPredictor(train).ok());
      return train.out;
    }();
    return artifact;
  }

  config::Config config;
  config::Predicted rule;

  PredictionsTest() {
    for (const char* name : {"other", "small", "large"}) {
      config::Expert expert;
      expert.name = name;
      expert.backend = config::LocalBackend{"m"};
      config.experts.push_back(expert);
    }
    rule.artifact = Artifact();
  }
  std::vector<PolicyPredictor> Load(std::string& text) {
    config::Policy pinned, predicted;
    pinned.name = "fixed";
    pinned.score = config::Pinned{{1}};
    predicted.name = "best";
    predicted.score = rule;
    config.policies = {pinned, predicted, predicted};
    std::vector<config::Problem> problems;
    auto predictors = LoadPredictors(config, problems);
    text = config::ToString(problems);
    return predictors;
  }
  std::string Problems() {
    std::string text;
    const bool none = Load(text).empty();
    EXPECT_EQ(none, !text.empty());
    return text;
  }
};

TEST_F(PredictionsTest, FillTheEvidenceInTheCataloguesOrderWithTheModelsOwnBits) {
  rule.pair = config::Pair{1, 2, 0.5};
  std::string text;
  const std::vector<PolicyPredictor> predictors = Load(text);
  ASSERT_EQ(text, "");
  ASSERT_EQ(predictors.size(), 3U);
  EXPECT_EQ(predictors[0].model, nullptr);
  EXPECT_EQ(predictors[1].model, predictors[2].model);  // one file, one model
  policies::Evidence evidence;
  Predict(predictors[1], "what is the orbit of a comet", evidence);
  const auto model = *classifier::Predictor::Load(Artifact());
  const std::vector<float> quality = model->Predict("what is the orbit of a comet");  // large, small
  ASSERT_EQ(evidence.quality.size(), 3U);
  EXPECT_TRUE(std::isnan(evidence.quality[0]));
  EXPECT_EQ(evidence.quality[1], quality[1]);
  EXPECT_EQ(evidence.quality[2], quality[0]);
  EXPECT_EQ(evidence.gain_threshold, model->GainThreshold(1, 0, 0.5));
}

// What the trace of a request shows is what the model says, to the bit, and the plan follows it.
TEST_F(PredictionsTest, DecideARequestAndStandInItsTrace) {
  rule.pair = config::Pair{1, 2, 0.4};
  std::string text;
  std::vector<PolicyPredictor> predictors = Load(text);
  ASSERT_EQ(text, "");
  config.default_policy = "best";
  const double threshold = predictors[1].gain_threshold;
  auto shared = std::make_shared<const config::Config>(config);
  admission::Admission admission{10};
  Services services;
  PolicyFiles files;
  files.predictors = std::move(predictors);
  services.snapshot = MakeSnapshot(shared, nullptr, std::move(files));
  telemetry::Metrics metrics(services.snapshot->names, [] { return telemetry::Gauges(); });
  services.admission = &admission;
  services.metrics = &metrics;
  const auto model = *classifier::Predictor::Load(Artifact());
  std::set<std::string> asked;
  for (const offline::ScoredRow& row : pointsman::testing::ScoredTexts(20, 2)) {
    const std::string& question = row.text;
    Arrival arrival;
    arrival.request_id = "r1";
    v1::CompleteRequest request;
    v1::Message* message = request.add_messages();
    message->set_role(v1::ROLE_USER);
    message->add_parts()->set_text(question);
    v1::Trace trace;
    Loop loop(1);
    grpc::Status status;
    auto body = Decide(services, arrival, request, trace);
    asio::co_spawn(loop, std::move(body), [&](std::exception_ptr, grpc::Status decided) { status = decided; });
    loop.run();
    ASSERT_TRUE(status.ok()) << status.error_message();
    const std::vector<float> quality = model->Predict(question);  // large, small
    ASSERT_EQ(trace.prediction().experts_size(), 2);
    EXPECT_EQ(trace.prediction().experts(0).expert(), "small");
    EXPECT_EQ(trace.prediction().experts(0).quality(), quality[1]);
    EXPECT_EQ(trace.prediction().experts(1).quality(), quality[0]);
    EXPECT_EQ(trace.prediction().gain_threshold(), threshold);
    EXPECT_FALSE(trace.has_evidence());
    const bool strong = static_cast<double>(quality[0]) - quality[1] >= threshold;
    EXPECT_EQ(trace.plan().ask().candidates(0).expert(), strong ? "large" : "small");
    asked.insert(trace.plan().ask().candidates(0).expert());
  }
  EXPECT_EQ(asked.size(), 2U);  // each where it is worth it
}

TEST_F(PredictionsTest, SayWhatIsWrongWithTheArtifactOrItsUse) {
  EXPECT_EQ(Problems(), "");
  rule.lambda = 1;
  EXPECT_THAT(Problems(), AllOf(HasSubstr("policies.best.lambda"), HasSubstr("small has no price")));
  rule.cost = config::Cost::kParameters;
  EXPECT_THAT(Problems(), HasSubstr("large has no parameters"));
  rule.lambda = 0;
  rule.pair = config::Pair{0, 2, 0.5};
  EXPECT_THAT(Problems(), AllOf(HasSubstr("policies.best.weak"), HasSubstr("does not know other")));
  rule.pair.reset();
  config.experts.pop_back();
  EXPECT_THAT(Problems(), AllOf(HasSubstr("policies.best.artifact"), HasSubstr("lacks: large")));
  rule.artifact = Dir().Write("bad.pmp", "PMPREDI1 and nothing that fits its checksum, nor the length of it at all");
  EXPECT_THAT(Problems(), HasSubstr("cut or damaged"));
  rule.artifact = Dir().path() / "none.pmp";
  EXPECT_THAT(Problems(), HasSubstr("pointsman train predictor"));
}

}  // namespace
}  // namespace pointsman::pipeline
