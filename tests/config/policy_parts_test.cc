// Selection, masks, budgets, cascades and zero-cost experts in the configuration.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/config/support.h"

namespace pointsman::config {
namespace {

using ::testing::HasSubstr;

std::string With(const std::string& policy) {
  return Problems(ParseWith(kEngine + kExperts + "policies: {all: {score: pinned, experts: [far], " + policy + "}}\n"));
}
Parsed Read(const std::string& policy) {
  return ParseWith(kEngine + kExperts + "policies: {all: {score: pinned, experts: [far], " + policy + "}}\n");
}
std::string WithReply(const std::string& reply) {
  return Problems(
      ParseWith("experts: {no: {zero_cost: " + reply + "}}\npolicies: {all: {score: pinned, experts: [no]}}\n"));
}

TEST(SelectionPolicy, IsReadWithEverything) {
  const Parsed parsed = Read(
      "select: top_p, mass: 0.6, most: 4, mean_experts: 1.3, temperature: 0.5, run: ensemble, combine: best, "
      "deny: [tiny], boost: {far: 2}, otherwise: tiny, budget: {latency: 1s}");
  ASSERT_TRUE(parsed.ok()) << Problems(parsed);
  const Policy& policy = parsed.config->policies[0];
  EXPECT_EQ(policy.select.rule, Select::kTopP);
  EXPECT_EQ(policy.select.mass, 0.6);
  EXPECT_EQ(policy.select.most, 4U);
  EXPECT_EQ(policy.select.mean_experts, 1.3);
  EXPECT_EQ(policy.select.temperature, 0.5);
  EXPECT_EQ(policy.ensemble, Combine::kBest);
  EXPECT_EQ(policy.mask.deny, Experts{0});
  EXPECT_EQ(policy.mask.boost.at(0), (std::pair<std::size_t, double>(1, 2)));
  EXPECT_EQ(policy.otherwise, 0U);
  EXPECT_EQ(policy.budget.latency, std::chrono::seconds(1));
}

TEST(SelectionPolicy, RefusesWhatCannotBeMeant) {
  EXPECT_THAT(With("select: top_p, run: ensemble, mass: 0"), HasSubstr("policies.all.mass: is \"0\""));
  EXPECT_THAT(With("select: top_p, run: ensemble, mass: 1.01"), HasSubstr("policies.all.mass"));
  EXPECT_THAT(With("select: top_p, run: ensemble, most: 2, mean_experts: 2.5"), HasSubstr("raise most"));
  EXPECT_THAT(With("select: top_k, run: ensemble, mass: 0.4"), HasSubstr("belongs to select: top_p"));
  EXPECT_THAT(With("select: top_p, run: ensemble, k: 2"), HasSubstr("belongs to select: top_k"));
  EXPECT_THAT(With("select: top_k"), HasSubstr("set run: ensemble, or cascade"));
  EXPECT_THAT(With("run: ensemble"), HasSubstr("select: best selects one"));
  EXPECT_THAT(With("combine: vote"), HasSubstr("belongs to run: ensemble"));
  EXPECT_THAT(With("temperature: 2"), HasSubstr("belongs to select: top_k and top_p"));
  EXPECT_THAT(With("deny: [far], require: [far]"), HasSubstr("which deny names too"));
  EXPECT_THAT(With("budget: {price: 0.01}"), HasSubstr("no expert has a price"));
  EXPECT_THAT(With("budget: {energy: 1}"), HasSubstr("no expert has an energy"));
  EXPECT_THAT(With("boost: {farr: 1}"), HasSubstr("did you mean \"far\""));
  EXPECT_THAT(With("otherwise: nobody"), HasSubstr("there is no expert \"nobody\""));
}

TEST(CascadePolicy, IsReadWithEverything) {
  const Parsed parsed = Read("run: cascade, cascade: {expert: tiny, signal: entropy, threshold: 0.7, tokens: 8}");
  ASSERT_TRUE(parsed.ok()) << Problems(parsed);
  const Stage& stage = parsed.config->policies[0].cascade.at(0);
  EXPECT_EQ(stage.expert, 0U);
  EXPECT_EQ(stage.signal, "entropy");
  EXPECT_EQ(stage.threshold, 0.7);
  EXPECT_EQ(stage.tokens, 8U);
  EXPECT_TRUE(Read("run: cascade, cascade: [{expert: tiny, gate: g.pmc, strong_share: 0.3}]").ok());
  EXPECT_TRUE(Read("run: cascade, cascade: {expert: tiny, signal: entropy, rule: stochastic}").ok());
  EXPECT_TRUE(Read("run: cascade, cascade: {expert: tiny, gate: g, rule: stochastic, strong_share: 0.2}").ok());
}

TEST(CascadePolicy, RefusesWhatCannotBeMeant) {
  const auto cascade = [](const std::string& stage) { return With("run: cascade, cascade: {" + stage + "}"); };
  EXPECT_THAT(With("run: cascade"), HasSubstr("has no \"cascade\""));
  EXPECT_THAT(With("cascade: {expert: tiny, signal: entropy, threshold: 1}"), HasSubstr("belongs to run: cascade"));
  EXPECT_THAT(cascade("signal: entropy, threshold: 0.5"), HasSubstr("has no \"expert\""));
  EXPECT_THAT(cascade("expert: tiny, threshold: 0.5"), HasSubstr("needs a gate"));
  EXPECT_THAT(cascade("expert: tiny, signal: entropy, gate: g, threshold: 0.5"), HasSubstr("one of them only"));
  EXPECT_THAT(cascade("expert: tiny, signal: entropy"), HasSubstr("says not when the weak answer is kept"));
  EXPECT_THAT(cascade("expert: tiny, gate: g, threshold: 0.5, strong_share: 0.1"), HasSubstr("more than one of"));
  EXPECT_THAT(cascade("expert: tiny, signal: entropy, strong_share: 0.1"), HasSubstr("a signal needs a threshold"));
  EXPECT_THAT(cascade("expert: tiny, signal: entropy, rule: mixture, threshold: 0.1"),
              HasSubstr("this rule does not read"));
  EXPECT_THAT(cascade("expert: tiny, signal: agreement, threshold: 0.5"), HasSubstr("set samples to 2 or more"));
  EXPECT_THAT(cascade("expert: tiny, signal: entropy, threshold: 0.5, samples: 3"), HasSubstr("signal: agreement"));
  // The weak expert is the strong one too: there is nobody to escalate to.
  EXPECT_THAT(cascade("expert: far, signal: agreement, samples: 2, threshold: 0.5"), HasSubstr("nobody else"));
  EXPECT_THAT(cascade("expert: far, signal: entropy, threshold: 0.5"), HasSubstr("add logprobs to its capabilities"));
  EXPECT_THAT(With("run: cascade, cascade: [{expert: tiny, signal: entropy, threshold: 1}, "
                   "{expert: tiny, signal: entropy, threshold: 1}]"),
              HasSubstr("is in this cascade already"));
}

TEST(GatesPolicy, NameExpertsAndFiles) {
  const auto gates = [](const std::string& rest) {
    return Problems(ParseWith(kEngine + kExperts + "policies: {all: {score: gates" + rest + "}}\n"));
  };
  EXPECT_EQ(gates(", gates: {tiny: a.pmg, far: b.pmg}, form: neighbours, carry: 0.5"), "");
  EXPECT_THAT(gates(""), HasSubstr("has no \"gates\""));
  EXPECT_THAT(gates(", gates: {}"), HasSubstr("is empty"));
  EXPECT_THAT(gates(", gates: {tinny: a.pmg}"), HasSubstr("there is no expert \"tinny\""));
  EXPECT_THAT(gates(", gates: {tiny: a.pmg}, carry: 1"), HasSubstr("policies.all.carry"));
  EXPECT_THAT(gates(", gates: {tiny: a.pmg}, map: {general: [tiny]}"), HasSubstr("belongs to score: category_map"));
}

TEST(ZeroCostExperts, SayWhatTheirKindSays) {
  EXPECT_EQ(WithReply("{kind: refuse, text: no}"), "");
  EXPECT_EQ(WithReply("{kind: canned, text: '{category} {expert} {probability} {{x}}', score: -1}"), "");
  EXPECT_EQ(WithReply("{kind: copy, answers: faq.jsonl, similarity: 0.8}"), "");
  EXPECT_EQ(WithReply("{kind: nobody}"), "");
  EXPECT_THAT(WithReply("{kind: refuse}"), HasSubstr("has no \"text\""));
  EXPECT_THAT(WithReply("{kind: nobody, text: x}"), HasSubstr("belongs to kind: refuse and canned"));
  EXPECT_THAT(WithReply("{kind: copy}"), HasSubstr("has no \"answers\""));
  EXPECT_THAT(WithReply("{kind: refuse, text: x, similarity: 0.5}"), HasSubstr("belongs to kind: copy"));
  EXPECT_THAT(WithReply("{kind: canned, text: 'a {categry}'}"), HasSubstr("did you mean \"category\""));
  EXPECT_THAT(WithReply("{kind: canned, text: 'a { b'}"), HasSubstr("brace without its partner"));
}

}  // namespace
}  // namespace pointsman::config
