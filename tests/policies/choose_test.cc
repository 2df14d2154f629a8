#include "policies/choose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace pointsman::policies {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

config::Expert MakeExpert(const std::string& name, config::Capabilities capabilities = 0, unsigned context = 0) {
  config::Expert expert;
  expert.name = name;
  expert.backend = config::LocalBackend{"m"};
  expert.capabilities = capabilities;
  expert.context = context;
  return expert;
}

struct ChooseTest : testing::Test {
  config::Config config;
  config::Policy policy;
  std::vector<std::string> categories = {"math", "law", "cooking"};
  Evidence evidence;
  RequestFacts facts;

  ChooseTest() {
    config.experts = {MakeExpert("general"), MakeExpert("math", config::kTools, 1000),
                      MakeExpert("eyes", config::kImages | config::kTools, 100000)};
    policy.name = "p";
    config::CategoryMap map;
    map.experts = {{"math", {1, 0}}, {"law", {2}}, {"general", {0, 2}}};
    policy.score = map;
    SetLikeliest(0, false);
  }

  void SetLikeliest(std::size_t index, bool uncertain) {
    evidence.categories = categories;
    evidence.probabilities = {0.2f, 0.2f, 0.2f};
    evidence.probabilities[index] = 0.6f;
    evidence.likeliest = index;
    evidence.uncertain = uncertain;
  }

  std::vector<std::string> Names(const Result<Choice>& choice) {
    std::vector<std::string> names;
    if (!choice) return {"error: " + choice.error().message};
    for (const Candidate& c : std::get<Ask>(choice->plan).candidates) names.push_back(config.experts[c.expert].name);
    return names;
  }
  Result<Choice> Run() { return Choose(config, policy, facts, &evidence); }
};

TEST_F(ChooseTest, FollowsTheMapInItsOrder) {
  auto choice = Run();
  EXPECT_THAT(Names(choice), ElementsAre("math", "general"));
  EXPECT_EQ(choice->category, "math");
  const auto& candidates = std::get<Ask>(choice->plan).candidates;
  EXPECT_GT(candidates[0].score, candidates[1].score);
}

TEST_F(ChooseTest, SendsTheForeignToGeneral) {
  SetLikeliest(0, true);
  evidence.foreign = true;
  auto choice = Run();
  EXPECT_THAT(Names(choice), ElementsAre("general", "eyes"));
  EXPECT_EQ(choice->category, "general");
}

TEST_F(ChooseTest, SendsTheMixedToGeneral) {
  SetLikeliest(0, true);
  evidence.mixed = true;
  EXPECT_EQ(Run()->category, "general");
}

TEST_F(ChooseTest, SendsTheUncertainToGeneralWhereTheMapSaysSo) {
  SetLikeliest(0, true);
  EXPECT_EQ(Run()->category, "math");
  std::get<config::CategoryMap>(policy.score).uncertain = config::Uncertain::kGeneral;
  auto choice = Run();
  EXPECT_THAT(Names(choice), ElementsAre("general", "eyes"));
  EXPECT_EQ(choice->category, "general");
}

TEST_F(ChooseTest, TheExpertThatIsMostProbablyRightWins) {
  std::get<config::CategoryMap>(policy.score).experts["cooking"] = {2};
  evidence.probabilities = {0.4f, 0.25f, 0.35f};  // eyes: law + cooking = 0.6
  auto choice = Run();
  EXPECT_THAT(Names(choice), ElementsAre("eyes"));
  EXPECT_EQ(choice->category, "cooking");
  // Experts that cannot answer do not count: with math alone able to, its category wins.
  facts.deny = {"eyes"};
  choice = Run();
  EXPECT_THAT(Names(choice), ElementsAre("general"));  // law and cooking have nobody else: the generalists
  evidence.probabilities = {0.6f, 0.2f, 0.2f};
  EXPECT_THAT(Names(Run()), ElementsAre("math", "general"));
}

TEST_F(ChooseTest, AMapFilesValuesAreWeighedByTheProbabilities) {
  auto& map = std::get<config::CategoryMap>(policy.score);
  const double unused = std::nan("");
  //             general  math  eyes
  map.worth = {{"math", {0.5, 0.9, unused}}, {"law", {0.8, 0.3, unused}}, {"general", {0.6, 0.5, unused}}};
  evidence.probabilities = {0.5f, 0.3f, 0.2f};  // general .25 + .24 + .12 = .61, math .45 + .09 + .10 = .64
  auto choice = Run();
  EXPECT_THAT(Names(choice), ElementsAre("math", "general"));
  EXPECT_EQ(choice->category, "math");
  EXPECT_NEAR(std::get<Ask>(choice->plan).candidates[0].score, 0.64, 1e-6);
  EXPECT_NEAR(std::get<Ask>(choice->plan).candidates[1].score, 0.61, 1e-6);
  evidence.probabilities = {0.42f, 0.38f, 0.2f};
  EXPECT_THAT(Names(Run()), ElementsAre("general", "math"));
  facts.deny = {"general"};
  EXPECT_THAT(Names(Run()), ElementsAre("math"));
  facts.deny = {"general", "math"};
  EXPECT_THAT(Names(Run()), ElementsAre("eyes"));  // the map does not use it, but `general` names it
}

TEST_F(ChooseTest, SendsCategoriesWithoutAnEntryToTheGeneralExperts) {
  SetLikeliest(2, false);
  auto choice = Run();
  EXPECT_THAT(Names(choice), ElementsAre("general", "eyes"));
  EXPECT_EQ(choice->category, "cooking");
}

TEST_F(ChooseTest, RemovesWhatCannotDoItBeforeScoring) {
  facts.needs = config::kTools;
  auto choice = Run();
  EXPECT_THAT(Names(choice), ElementsAre("math"));
  ASSERT_EQ(choice->exclusions.size(), 1u);
  EXPECT_EQ(choice->exclusions[0].reason, "cannot call tools");
}

TEST_F(ChooseTest, FallsBackToAGeneralExpertWhenNoneOfTheCategoryCan) {
  facts.needs = config::kImages;
  EXPECT_THAT(Names(Run()), ElementsAre("eyes"));
}

TEST_F(ChooseTest, NamesTheMissingCapabilityWhenNobodyIsLeft) {
  facts.needs = config::kGrammar;
  auto choice = Run();
  ASSERT_FALSE(choice);
  EXPECT_EQ(choice.error().code, Code::kInvalidArgument);
  EXPECT_THAT(choice.error().message, HasSubstr("general: cannot keep to a grammar"));
  EXPECT_THAT(choice.error().message, HasSubstr("math: cannot keep to a grammar"));
}

TEST_F(ChooseTest, RemovesExpertsWithAContextTooShort) {
  facts.prompt_tokens = 1000;
  EXPECT_THAT(Names(Run()), ElementsAre("general"));
  facts.prompt_tokens = 999;
  EXPECT_THAT(Names(Run()), ElementsAre("math", "general"));
}

TEST_F(ChooseTest, ObeysDenyAndRequire) {
  facts.deny = {"math"};
  EXPECT_THAT(Names(Run()), ElementsAre("general"));
  facts.deny = {};
  facts.require = {"general"};
  EXPECT_THAT(Names(Run()), ElementsAre("general"));
  facts.deny = {"general"};
  auto nobody = Run();
  ASSERT_FALSE(nobody);
  EXPECT_THAT(nobody.error().message, HasSubstr("denied by the request"));
}

TEST_F(ChooseTest, RefusesUnknownNamesWithTheKnownOnes) {
  facts.deny = {"genral"};
  auto choice = Run();
  ASSERT_FALSE(choice);
  EXPECT_EQ(choice.error().field, "routing.deny[0]");
  EXPECT_EQ(choice.error().message, "unknown expert 'genral'; known: general, math, eyes");
}

TEST_F(ChooseTest, PinsWithoutEvidence) {
  facts.expert = "eyes";
  EXPECT_THAT(Names(Choose(config, policy, facts, nullptr)), ElementsAre("eyes"));
  policy.score = config::Pinned{{0, 1}};
  facts.expert = "";
  EXPECT_FALSE(NeedsEvidence(policy));
  EXPECT_THAT(Names(Choose(config, policy, facts, nullptr)), ElementsAre("general", "math"));
}

TEST_F(ChooseTest, KeepsTheCostCeiling) {
  config.experts[0].price = config::Price{1.0, 2.0};  // USD per million
  config.experts[1].price = config::Price{10.0, 20.0};
  facts.prompt_tokens = 100;
  facts.max_tokens = 100;
  facts.max_cost_usd = 0.001;  // general: 0.0003, math: 0.003
  auto choice = Run();
  EXPECT_THAT(Names(choice), ElementsAre("general"));
  facts.max_cost_usd = 0.003;
  EXPECT_THAT(Names(Run()), ElementsAre("math", "general"));
  facts.max_cost_usd = 1e-9;
  auto nobody = Run();
  ASSERT_FALSE(nobody);
  EXPECT_THAT(nobody.error().message, HasSubstr("eyes: has no configured price"));
}

TEST_F(ChooseTest, DoesNotGuessTheCostOfAnUnboundedAnswer) {
  config.experts[0].price = config::Price{1.0, 2.0};
  facts.max_cost_usd = 100;
  facts.require = {"general"};
  auto choice = Run();
  ASSERT_FALSE(choice);
  EXPECT_THAT(choice.error().message, HasSubstr("set max_tokens"));
  config.experts[0].sampling.max_tokens = 100;
  EXPECT_TRUE(Run());
}

TEST_F(ChooseTest, KeepsTheLatencyCeilingWhereLatencyIsKnown) {
  config.experts[1].latency = std::chrono::milliseconds(500);
  facts.max_latency_ms = 499;
  EXPECT_THAT(Names(Run()), ElementsAre("general"));
  facts.max_latency_ms = 500;
  EXPECT_THAT(Names(Run()), ElementsAre("math", "general"));
}

}  // namespace
}  // namespace pointsman::policies
