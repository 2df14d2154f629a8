#include "router/offline/policy_replay.h"

#include <gtest/gtest.h>

namespace pointsman::offline {
namespace {

const std::vector<double> kCost = {70, 7, 8};

Outcome Row(std::vector<std::string> answers, const std::string& right) {
  Outcome row{"q", 0, "", {}, std::move(answers)};
  for (const std::string& answer : row.answers) row.scores.push_back(answer == right ? 1.0F : 0.0F);
  return row;
}

TEST(PolicyReplay, OfAListTheFirstAnswersAndIsPaid) {
  const Replayed r = Replay(policies::Ask{{{1, 0.9}, {0, 0.8}}}, Row({"A", "B", "A"}, "B"), kCost);
  EXPECT_EQ(r.score, 1);
  EXPECT_EQ(r.cost, 7);
  EXPECT_EQ(r.asked, 1);
}

TEST(PolicyReplay, AVoteTakesTheHeaviestAnswerAndAllArePaid) {
  policies::Ensemble ensemble;
  ensemble.members = {{{0, 1}, 0.4}, {{1, 1}, 0.35}, {{2, 1}, 0.25}};
  const Outcome row = Row({"A", "B", "B"}, "A");
  const Replayed vote = Replay(ensemble, row, kCost);
  EXPECT_EQ(vote.score, 0);
  EXPECT_EQ(vote.best, 1);
  EXPECT_EQ(vote.cost, 85);
  EXPECT_EQ(vote.asked, 3);
  ensemble.combine = config::Combine::kBest;
  EXPECT_EQ(Replay(ensemble, row, kCost).score, 1);
}

TEST(PolicyReplay, AgreementIsTheConfidence) {
  const auto gate = gate::SignalGate("agreement");
  ASSERT_TRUE(gate.ok());
  const std::vector<std::size_t> members = {1, 2, 0};
  const WeakVote two = Vote(members, *gate, Row({"C", "B", "C"}, "C"), kCost);
  EXPECT_NEAR(two.confidence, 2.0 / 3, 1e-9);
  EXPECT_EQ(two.answer.score, 1);
  EXPECT_EQ(two.answer.cost, 85);
  EXPECT_NEAR(Vote(members, *gate, Row({"D", "D", "D"}, "C"), kCost).confidence, 1, 1e-9);
  EXPECT_NEAR(Vote(members, *gate, Row({"", "", ""}, "C"), kCost).confidence, 1.0 / 3, 1e-9);
}

}  // namespace
}  // namespace pointsman::offline
