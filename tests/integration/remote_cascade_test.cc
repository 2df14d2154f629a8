// Cascades whose weak expert is remote: its most probable tokens are what the gate reads, if it sends any.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <random>

#include "router/offline/train_cascade.h"
#include "tests/fakes/fault_server.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_server.h"

namespace pointsman {
namespace {

using ::testing::HasSubstr;
using testing_support::Question;
using testing_support::Streamed;
using testing_support::TestServer;

class RemoteCascade : public ::testing::Test {
 protected:
  // `stage` are keys of the cascade's only stage; the weak expert behaves as `weak` says (fault_server.h).
  Streamed Ask(const std::string& weak, const std::string& stage) {
    TestServer server(R"(
experts:
  weak: {openai: {url: ")" +
                          upstream_.url(weak) + R"(", model: small}, capabilities: [logprobs]}
  strong: {openai: {url: ")" +
                          strong_.url("/normal;chunks=2") + R"(", model: large}}
policies: {p: {score: pinned, experts: [strong], run: cascade, cascade: {expert: weak, )" +
                          stage + "}}}\n",
                      1);
    return testing_support::Stream(server.stub(), Question("Greet me."));
  }
  // A gate that was fitted to answers of which the two most probable tokens are known.
  std::filesystem::path TopKGate() {
    std::mt19937 random(1);
    std::uniform_real_distribution<double> uniform(0, 1);
    std::string rows;
    for (int i = 0; i < 300; ++i) {
      const double p = 0.4 + 0.59 * uniform(random);
      char line[256];
      std::snprintf(line, sizeof line,
                    R"({"tokens":[{"logprob":%.4f,"top":[%.4f,%.4f]}],"weak_correct":%d,"strong_correct":1})"
                    "\n",
                    std::log(p), std::log(p), std::log((1 - p) * 0.9), uniform(random) < p);
      rows += line;
    }
    offline::TrainCascadeOptions options;
    options.rows.files = {dir_.Write("rows.jsonl", rows)};
    options.rows.weak = "weak";
    options.rows.strong = "strong";
    options.kind = gate::GateKind::kLogistic;
    options.out = dir_.path() / "gate.pmg";
    const auto report = offline::TrainCascade(options);
    EXPECT_TRUE(report) << report.error().message;
    return options.out;
  }

  testing::FaultServer upstream_, strong_;
  testing::TempDir dir_;
};

// The mean of the tokens' largest probabilities, as the scripted answer has them.
const double kMaxProbability = (std::exp(-0.25) + std::exp(-0.5)) / 2;

TEST_F(RemoteCascade, AnAnswerWhoseMostProbableTokensAreSureIsReleased) {
  const Streamed streamed = Ask("/logprobs", "signal: max_probability, tokens: 0, threshold: 0.6");
  ASSERT_TRUE(streamed.done()) << streamed.status.error_message();
  EXPECT_EQ(streamed.text, "Hello you");
  EXPECT_EQ(streamed.trace().expert(), "weak");
  ASSERT_EQ(streamed.trace().decisions_size(), 1);
  const v1::GateDecision& decision = streamed.trace().decisions(0);
  EXPECT_EQ(decision.source(), "top_k");
  EXPECT_EQ(decision.tokens(), 2U);
  EXPECT_NEAR(decision.confidence(), kMaxProbability, 1e-6);
  EXPECT_DOUBLE_EQ(decision.threshold(), 0.6);
  EXPECT_TRUE(decision.kept());
  EXPECT_THAT(upstream_.last_body(), HasSubstr("\"top_logprobs\":5"));
  EXPECT_EQ(strong_.counts().requests, 0U);
}

TEST_F(RemoteCascade, AnUnsureOneIsNeverSeenAndTheStrongExpertAnswers) {
  const Streamed streamed = Ask("/logprobs", "signal: max_probability, tokens: 0, threshold: 0.75");
  ASSERT_TRUE(streamed.done()) << streamed.status.error_message();
  EXPECT_EQ(streamed.text, "w0 w1 ");
  ASSERT_EQ(streamed.trace().decisions_size(), 1);
  EXPECT_EQ(streamed.trace().decisions(0).source(), "top_k");
  EXPECT_FALSE(streamed.trace().decisions(0).kept());
  EXPECT_NEAR(streamed.trace().decisions(0).confidence(), kMaxProbability, 1e-6);
  ASSERT_EQ(streamed.trace().attempts_size(), 2);
  EXPECT_EQ(streamed.trace().attempts(0).outcome(), "not_kept");
  EXPECT_EQ(streamed.trace().attempts(1).expert(), "strong");
  EXPECT_EQ(streamed.trace().attempts(1).outcome(), "ok");
}

TEST_F(RemoteCascade, AGateThatWasFittedToTopListsReadsThem) {
  const std::string gate = "gate: " + TopKGate().string();
  const Streamed kept = Ask("/logprobs", gate + ", tokens: 0, threshold: 0.3");
  ASSERT_TRUE(kept.done()) << kept.status.error_message();
  ASSERT_EQ(kept.trace().decisions_size(), 1);
  EXPECT_EQ(kept.trace().decisions(0).source(), "top_k");
  EXPECT_EQ(kept.trace().expert(), "weak");
  const Streamed escalated = Ask("/logprobs", gate + ", tokens: 0, threshold: 0.97");
  ASSERT_TRUE(escalated.done()) << escalated.status.error_message();
  EXPECT_EQ(escalated.trace().expert(), "strong");
  EXPECT_NEAR(escalated.trace().decisions(0).confidence(), kept.trace().decisions(0).confidence(), 1e-9);
}

TEST_F(RemoteCascade, AnExpertThatSendsNoneIsNotKeptAndTheTraceSaysWhy) {
  const Streamed any = Ask("/normal", "signal: max_probability, tokens: 0, threshold: 0");
  ASSERT_TRUE(any.done()) << any.status.error_message();
  EXPECT_EQ(any.trace().expert(), "strong");
  ASSERT_EQ(any.trace().decisions_size(), 1);
  EXPECT_EQ(any.trace().decisions(0).source(), "none");
  EXPECT_THAT(any.trace().decisions(0).reason(),
              HasSubstr("reads token probabilities, and the answer came with none: it cannot be judged"));
  const Streamed fitted = Ask("/normal", "gate: " + TopKGate().string() + ", tokens: 0, threshold: 0");
  ASSERT_TRUE(fitted.done()) << fitted.status.error_message();
  EXPECT_EQ(fitted.trace().expert(), "strong");
  EXPECT_THAT(fitted.trace().decisions(0).reason(), HasSubstr("reads top_k, and the answer came with none"));
}

}  // namespace
}  // namespace pointsman
