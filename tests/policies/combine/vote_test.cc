#include "policies/combine/vote.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pointsman::combine {
namespace {

using ::testing::ElementsAre;

TEST(Vote, TheMostWeightWinsAgainstTheBestMember) {
  const std::vector<Vote> votes = {{"B", 0.4}, {"A", 0.35}, {"A", 0.25}};
  const auto ballots = Count(votes);
  ASSERT_EQ(ballots.size(), 2U);
  EXPECT_EQ(ballots[0].answer, "A");
  EXPECT_NEAR(ballots[0].weight, 0.6, 1e-12);
  EXPECT_THAT(ballots[0].voters, ElementsAre(1, 2));
  EXPECT_EQ(Winner(config::Combine::kVote, ballots), 1U);
  EXPECT_EQ(Winner(config::Combine::kBest, ballots), 0U);
}

TEST(Vote, OfEqualBallotsTheBetterMembersWins) {
  const auto ballots = Count(std::vector<Vote>{{"C", 0.5}, {"D", 0.5}});
  EXPECT_EQ(Winner(config::Combine::kVote, ballots), 0U);
}

TEST(Vote, EmptyAnswersDoNotAgree) {
  const auto ballots = Count(std::vector<Vote>{{"", 0.3}, {"", 0.3}, {"E", 0.4}});
  ASSERT_EQ(ballots.size(), 3U);
  EXPECT_EQ(Winner(config::Combine::kVote, ballots), 2U);
}

TEST(Vote, WhatCannotBeReadDoesNotWinOverWhatOthersAgreedOn) {
  const auto ballots = Count(std::vector<Vote>{{"", 0.6}, {"E", 0.15}, {"F", 0.05}, {"E", 0.2}});
  EXPECT_EQ(ballots[0].answer, "");  // heaviest first, as it is
  EXPECT_EQ(Leading(ballots), 1U);
  EXPECT_EQ(Winner(config::Combine::kVote, ballots), 1U);
  EXPECT_EQ(Winner(config::Combine::kBest, ballots), 0U);
}

TEST(Vote, WhereNothingCanBeReadTheBestMemberCounts) {
  const auto ballots = Count(std::vector<Vote>{{"", 0.4}, {"", 0.6}});
  EXPECT_EQ(Leading(ballots), 2U);
  EXPECT_EQ(Winner(config::Combine::kVote, ballots), 0U);
}

}  // namespace
}  // namespace pointsman::combine
