// The shapes of plans: what masks, null experts, budgets and cascades make of scores.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "policies/choose.h"

namespace pointsman::policies {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct ShapesTest : ::testing::Test {
  config::Config config;
  config::Policy policy;
  Evidence evidence;
  RequestFacts facts;

  ShapesTest() {
    for (const char* name : {"a", "b", "c", "d"}) {
      config::Expert expert;
      expert.name = name;
      expert.backend = config::LocalBackend{"m"};
      config.experts.push_back(expert);
    }
    policy.name = "p";
    policy.score = config::Gates{};
    evidence.gates = {3, 2, 1, 0};
    policy.select.rule = config::Select::kTopK;
    policy.select.k = 2;
    policy.ensemble = config::Combine::kVote;
  }
  void MakeZeroCost(std::size_t expert, config::ZeroCost kind) {
    config::ZeroCostBackend reply;
    reply.kind = kind;
    config.experts[expert].backend = reply;
    config.experts[expert].price.emplace();
  }
  Choice Run() {
    auto choice = Choose(config, policy, facts, &evidence);
    EXPECT_TRUE(choice) << choice.error().message;
    return choice ? *std::move(choice) : Choice();
  }
  std::vector<std::size_t> Members() {
    const Choice choice = Run();
    std::vector<std::size_t> members;
    if (const auto* ensemble = std::get_if<Ensemble>(&choice.plan)) {
      for (const Member& member : ensemble->members) members.push_back(member.candidate.expert);
    } else {
      members.push_back(First(choice.plan).expert);
    }
    return members;
  }
};

TEST_F(ShapesTest, MembersWeighTheirRenormalisedProbabilities) {
  const Choice choice = Run();
  const auto& ensemble = std::get<Ensemble>(choice.plan);
  ASSERT_EQ(ensemble.members.size(), 2U);
  EXPECT_NEAR(ensemble.members[0].weight, 1 / (1 + std::exp(-1)), 1e-12);
  EXPECT_NEAR(ensemble.members[0].weight + ensemble.members[1].weight, 1, 1e-12);
  ASSERT_EQ(ensemble.fallback.size(), 2U);
  EXPECT_EQ(ensemble.fallback[0].expert, 2U);
  EXPECT_EQ(choice.models, 2U);
}

TEST_F(ShapesTest, ABoostReordersAndADenyRemoves) {
  policy.mask.boost = {{3, 10}};
  EXPECT_THAT(Members(), ElementsAre(3, 0));
  policy.mask.deny = {3};
  EXPECT_THAT(Members(), ElementsAre(0, 1));
  facts.boost = {{"c", 5}};
  EXPECT_THAT(Members(), ElementsAre(2, 0));
  config::Mask tenant;
  tenant.require = {1, 2};
  facts.tenant = &tenant;
  EXPECT_THAT(Members(), ElementsAre(2, 1));
  EXPECT_EQ(Run().exclusions[0].reason, "not among the experts that the tenant requires");
}

// Precedence: a pin beats scores and boosts, but not what the tenant must not have.
TEST_F(ShapesTest, APinBeatsTheScoresButNoMask) {
  facts.expert = "d";
  policy.mask.boost = {{0, 100}};
  EXPECT_THAT(Members(), ElementsAre(3));
  config::Mask tenant;
  tenant.deny = {3};
  facts.tenant = &tenant;
  const auto choice = Choose(config, policy, facts, &evidence);
  ASSERT_FALSE(choice);
  EXPECT_THAT(choice.error().message, HasSubstr("denied by the tenant"));
}

TEST_F(ShapesTest, ANullExpertTakesAPlaceAndAsksNobody) {
  MakeZeroCost(1, config::ZeroCost::kNull);
  const Choice choice = Run();
  EXPECT_TRUE(std::holds_alternative<Ask>(choice.plan));
  EXPECT_EQ(First(choice.plan).expert, 0U);
  EXPECT_EQ(choice.models, 1U);
  EXPECT_EQ(choice.nulls, 1U);
}

TEST_F(ShapesTest, AllNullHasADefinedReply) {
  MakeZeroCost(0, config::ZeroCost::kNull);
  MakeZeroCost(1, config::ZeroCost::kNull);
  Choice choice = Run();
  EXPECT_TRUE(choice.otherwise);
  EXPECT_EQ(First(choice.plan).expert, 2U);  // the best that is none
  policy.otherwise = 3;
  EXPECT_EQ(First(Run().plan).expert, 3U);
}

TEST_F(ShapesTest, AllMaskedHasADefinedReply) {
  policy.mask.require = {2};
  facts.deny = {"c"};
  const auto choice = Choose(config, policy, facts, &evidence);
  ASSERT_FALSE(choice);
  EXPECT_EQ(choice.error().code, Code::kInvalidArgument);
  EXPECT_THAT(choice.error().message, HasSubstr("c: denied by the request"));
}

TEST_F(ShapesTest, AReplyThatScoresBestAnswersAlone) {
  MakeZeroCost(0, config::ZeroCost::kRefuse);
  EXPECT_TRUE(std::holds_alternative<Reply>(Run().plan));
  // One that does not has no vote.
  evidence.gates = {1.5, 2, 1, 0};
  policy.select.k = 3;
  EXPECT_THAT(Members(), ElementsAre(1, 2));
}

TEST_F(ShapesTest, AZeroCostExpertWithoutAGateHasItsConfiguredScore) {
  MakeZeroCost(3, config::ZeroCost::kRefuse);
  evidence.gates[3] = std::nanf("");
  EXPECT_THAT(Members(), ElementsAre(0, 1));
  EXPECT_EQ(Run().exclusions[0].reason, "has no gate in this policy");
  std::get<config::ZeroCostBackend>(config.experts[3].backend).score = 9;
  EXPECT_TRUE(std::holds_alternative<Reply>(Run().plan));
}

TEST_F(ShapesTest, ABudgetIsKeptByTheBestAffordableSet) {
  for (config::Expert& expert : config.experts) expert.price = config::Price{0, 1};
  config.experts[0].price = config::Price{0, 9};
  facts.max_tokens = 1'000'000;
  policy.budget.price = 9.5;
  const Choice choice = Run();
  EXPECT_TRUE(choice.over_budget);
  EXPECT_EQ(First(choice.plan).expert, 0U);  // alone it is worth more than b and c together
  policy.budget.price = 3;
  EXPECT_THAT(Members(), ElementsAre(1, 2));
  EXPECT_THAT(Run().exclusions[0].reason, HasSubstr("above the policy's budget"));
}

TEST_F(ShapesTest, ACascadePutsWeakerExpertsBeforeTheChosenOne) {
  policy.select.rule = config::Select::kBest;
  policy.ensemble.reset();
  config::Stage stage;
  stage.expert = 3;
  stage.signal = "entropy";
  policy.cascade = {stage};
  const Choice choice = Run();
  const auto& cascade = std::get<Cascade>(choice.plan);
  EXPECT_THAT(cascade.stages, ElementsAre(0));
  EXPECT_EQ(First(choice.plan).expert, 0U);
  evidence.gates = {0, 1, 2, 3};  // the weak one is the choice itself: no gate is needed
  EXPECT_TRUE(std::holds_alternative<Ask>(Run().plan));
  evidence.gates = {3, 2, 1, 0};
  facts.deny = {"d"};
  EXPECT_TRUE(std::holds_alternative<Ask>(Run().plan));
}

TEST_F(ShapesTest, TheRandomArmIsUniformAndRepeatable) {
  policy.score = config::Random{{0, 1, 2}};
  policy.select.rule = config::Select::kBest;
  policy.ensemble.reset();
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> unit(0, 1);
  int counts[4] = {};
  for (int i = 0; i < 10'000; ++i) {
    facts.random = unit(random);
    const std::size_t first = First(Run().plan).expert;
    EXPECT_EQ(first, First(Run().plan).expert);
    ++counts[first];
  }
  EXPECT_EQ(counts[3], 0);
  for (int e = 0; e < 3; ++e) EXPECT_NEAR(counts[e], 3333, 170);  // three and a half standard deviations
}

// Property: whatever the scores and masks, a plan asks nobody who is excluded, nobody twice, and somebody.
TEST_F(ShapesTest, PlansAreSound) {
  std::mt19937_64 random(2);
  std::normal_distribution<float> score(0, 3);
  for (int i = 0; i < 10'000; ++i) {
    for (float& gate : evidence.gates) gate = score(random);
    policy.select.rule = static_cast<config::Select>(random() % 3);
    policy.select.k = 1 + static_cast<unsigned>(random() % 4);
    policy.select.mass = 0.05 + 0.95 * static_cast<double>(random() % 100) / 100;
    policy.ensemble =
        policy.select.rule == config::Select::kBest ? std::optional<config::Combine>() : config::Combine::kVote;
    policy.mask.deny = {random() % 4};
    policy.mask.boost = {{random() % 4, score(random)}};
    const Choice choice = Run();
    std::vector<std::size_t> asked;
    if (const auto* ensemble = std::get_if<Ensemble>(&choice.plan)) {
      double weight = 0;
      for (const Member& member : ensemble->members) {
        asked.push_back(member.candidate.expert);
        weight += member.weight;
      }
      EXPECT_NEAR(weight, 1, 1e-9);
      EXPECT_GE(asked.size(), 2U);
      for (const Candidate& c : ensemble->fallback) asked.push_back(c.expert);
    } else {
      for (const Candidate& c : std::get<Ask>(choice.plan).candidates) asked.push_back(c.expert);
    }
    EXPECT_EQ(asked.size(), 3U);  // all that are left, in some order
    std::sort(asked.begin(), asked.end());
    EXPECT_EQ(std::unique(asked.begin(), asked.end()), asked.end());
    EXPECT_EQ(std::count(asked.begin(), asked.end(), policy.mask.deny[0]), 0);
  }
}

// Adding an expert that nobody asked about changes no other expert's score.
TEST_F(ShapesTest, ScoresDoNotKnowOfEachOther) {
  std::mt19937_64 random(3);
  std::normal_distribution<float> score(0, 3);
  policy.select.rule = config::Select::kBest;
  policy.ensemble.reset();
  for (int i = 0; i < 10'000; ++i) {
    for (float& gate : evidence.gates) gate = score(random);
    const Choice with_all = Run();
    facts.deny = {"d"};
    const Choice without = Run();
    facts.deny.clear();
    for (const Candidate& c : std::get<Ask>(without.plan).candidates) EXPECT_EQ(c.score, evidence.gates[c.expert]);
    for (const Candidate& c : std::get<Ask>(with_all.plan).candidates) EXPECT_EQ(c.score, evidence.gates[c.expert]);
  }
}

}  // namespace
}  // namespace pointsman::policies
