#include "router/offline/label_rows.h"

#include <gtest/gtest.h>

namespace pointsman::offline {
namespace {

constexpr std::size_t kDimensions = 8;

std::vector<float> Axis(std::size_t d) {
  std::vector<float> vector(kDimensions);
  vector[d] = 1;
  return vector;
}

std::vector<float> Join(const std::vector<std::vector<float>>& vectors) {
  std::vector<float> all;
  for (const auto& vector : vectors) all.insert(all.end(), vector.begin(), vector.end());
  return all;
}

TEST(LabelVoters, TheNearestRowsDecide) {
  const std::vector<float> labelled = Join({Axis(0), Axis(0), Axis(1), Axis(2)});
  const std::vector<std::uint8_t> labels = {3, 3, 1, 2};
  const std::vector<float> between = {0.7071F, 0.7071F, 0, 0, 0, 0, 0, 0};
  const LabelVoters voters(labelled, labels, Join({Axis(0), Axis(1), between}), kDimensions);
  const std::vector<LabelVote> votes = voters.Vote({});
  ASSERT_EQ(votes.size(), 3U);
  EXPECT_EQ(votes[0].label, 3U);
  EXPECT_GT(votes[0].share, 0.99);
  EXPECT_EQ(votes[1].label, 1U);
  EXPECT_EQ(votes[2].label, 3U);
  EXPECT_NEAR(votes[2].share, 2.0 / 3, 0.01);  // two rows as near as one
}

TEST(LabelVoters, ExcludedRowsHaveNoVote) {
  const std::vector<std::uint8_t> labels = {3, 1};
  const LabelVoters voters(Join({Axis(0), Axis(1)}), labels, Axis(0), kDimensions);
  const std::vector<std::uint8_t> first = {1, 0}, both = {1, 1};
  EXPECT_EQ(voters.Vote(first)[0].label, 1U);
  EXPECT_EQ(voters.Vote(both)[0].share, 0);
}

TEST(LabelVoters, NobodyVotesForATextWithoutAKnownWord) {
  const std::vector<std::uint8_t> labels = {3};
  const LabelVoters voters(Axis(0), labels, std::vector<float>(kDimensions), kDimensions);
  EXPECT_EQ(voters.Vote({})[0].share, 0);
}

}  // namespace
}  // namespace pointsman::offline
