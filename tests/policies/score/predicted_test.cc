#include "policies/score/predicted.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace pointsman::score {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct PredictedTest : ::testing::Test {
  config::Config config;
  config::Predicted rule;
  policies::RequestFacts facts;
  policies::Evidence evidence;

  PredictedTest() {
    for (const auto& [name, parameters] : {std::pair("small", 7.0), {"large", 70.0}, {"other", 30.0}}) {
      config::Expert expert;
      expert.name = name;
      expert.backend = config::LocalBackend{"m"};
      expert.parameters = parameters;
      expert.price = config::Price{parameters / 10, parameters / 5};
      config.experts.push_back(expert);
    }
    evidence.quality = {0.5F, 0.7F, 0.6F};
  }
  std::vector<std::size_t> Order() {
    std::vector<std::size_t> order;
    for (const policies::Candidate& c : ByPrediction(config, rule, facts, evidence)) order.push_back(c.expert);
    return order;
  }
  Result<policies::Choice> Choose() {
    config::Policy policy;
    policy.name = "p";
    policy.score = rule;
    return policies::Choose(config, policy, facts, &evidence);
  }
};

TEST_F(PredictedTest, OrdersByQualityAndLeavesOutWhatThePredictorDoesNotKnow) {
  EXPECT_THAT(Order(), ElementsAre(1, 2, 0));
  evidence.quality[2] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(Order(), ElementsAre(1, 0));
  const auto choice = Choose();
  ASSERT_TRUE(choice) << choice.error().message;
  ASSERT_EQ(choice->exclusions.size(), 1U);
  EXPECT_EQ(choice->exclusions[0].expert, 2U);
  EXPECT_THAT(choice->exclusions[0].reason, HasSubstr("does not know"));
  evidence.quality = {0.5F, 0.5F, 0.5F};
  EXPECT_THAT(Order(), ElementsAre(0, 1, 2));  // of equals the first
}

TEST_F(PredictedTest, LambdaWeighsActiveParameters) {
  rule.cost = config::Cost::kParameters;
  rule.lambda = 0.004;  // 0.472, 0.42, 0.48
  EXPECT_THAT(Order(), ElementsAre(2, 0, 1));
  EXPECT_FLOAT_EQ(static_cast<float>(ByPrediction(config, rule, facts, evidence)[0].score), 0.6F - 0.12F);
  rule.lambda = 1;
  EXPECT_THAT(Order(), ElementsAre(0, 2, 1));
}

TEST_F(PredictedTest, LambdaWeighsTheRequestsPriceAndBoundsUnboundedAnswers) {
  facts.prompt_tokens = 1'000'000;
  facts.max_tokens = 0;
  EXPECT_DOUBLE_EQ(CostOf(config.experts[1], config::Cost::kPrice, facts), 7);
  facts.max_tokens.reset();
  EXPECT_DOUBLE_EQ(CostOf(config.experts[1], config::Cost::kPrice, facts), 7 + 1024 * 14 / 1e6);
  rule.lambda = 0.01;  // a dollar is worth a hundredth
  EXPECT_THAT(Order(), ElementsAre(1, 2, 0));
  rule.lambda = 1;
  EXPECT_THAT(Order(), ElementsAre(0, 2, 1));
}

TEST_F(PredictedTest, APairTakesTheStrongOneFromTheThresholdOn) {
  rule.pair = config::Pair{0, 1, 0.5};
  const double gain = static_cast<double>(evidence.quality[1]) - evidence.quality[0];
  evidence.gain_threshold = gain;
  EXPECT_THAT(Order(), ElementsAre(1, 0));
  evidence.gain_threshold = std::nextafter(gain, 1);
  EXPECT_THAT(Order(), ElementsAre(0, 1));
  EXPECT_THAT(Choose()->exclusions.at(0).reason, HasSubstr("pair"));
  evidence.gain_threshold = std::numeric_limits<double>::infinity();
  EXPECT_THAT(Order(), ElementsAre(0, 1));
}

TEST_F(PredictedTest, MasksHoldAndAMissingPredictionIsABugOfOurs) {
  facts.deny = {"large"};
  const auto choice = Choose();
  EXPECT_EQ(std::get<policies::Ask>(choice->plan).candidates.front().expert, 2U);
  evidence.quality.clear();
  EXPECT_EQ(Choose().error().code, Code::kInternal);
}

}  // namespace
}  // namespace pointsman::score
