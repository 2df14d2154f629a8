// The policies with score: predictor.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/config/support.h"

namespace pointsman::config {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Parsed ParsePolicy(const std::string& policy) {
  return ParseWith(kEngine + kExperts + "policies: {all: {score: predictor" + policy + "}}\n");
}

TEST(PredictorPolicy, IsReadWithEverything) {
  const Parsed costly = ParsePolicy(", artifact: q.pmp, lambda: 0.5, cost: parameters");
  ASSERT_TRUE(costly.ok()) << Problems(costly);
  const auto& rule = std::get<Predicted>(costly.config->policies[0].score);
  EXPECT_EQ(rule.artifact, "/etc/pointsman/q.pmp");
  EXPECT_EQ(rule.lambda, 0.5);
  EXPECT_EQ(rule.cost, Cost::kParameters);
  EXPECT_FALSE(rule.pair);

  const Parsed pair = ParsePolicy(", artifact: /q.pmp, weak: tiny, strong: far, strong_share: 0.25");
  ASSERT_TRUE(pair.ok()) << Problems(pair);
  const auto& routed = std::get<Predicted>(pair.config->policies[0].score);
  EXPECT_EQ(routed.pair->weak, 0U);
  EXPECT_EQ(routed.pair->strong, 1U);
  EXPECT_EQ(routed.pair->strong_share, 0.25);
}

TEST(PredictorPolicy, RefusesWhatCannotBeMeant) {
  EXPECT_THAT(Problems(ParsePolicy("")), HasSubstr("has no \"artifact\""));
  EXPECT_THAT(Problems(ParsePolicy(", artifact: a, lambda: -1")), HasSubstr("policies.all.lambda"));
  EXPECT_THAT(Problems(ParsePolicy(", artifact: a, cost: price")), HasSubstr("no effect without lambda"));
  EXPECT_THAT(Problems(ParsePolicy(", artifact: a, weak: tiny")), HasSubstr("weak, strong and strong_share together"));
  EXPECT_THAT(Problems(ParsePolicy(", artifact: a, weak: tiny, strong: tiny, strong_share: 0.5")),
              HasSubstr("is the weak expert too"));
  EXPECT_THAT(Problems(ParsePolicy(", artifact: a, weak: tini, strong: far, strong_share: 2")),
              AllOf(HasSubstr("no expert \"tini\""), HasSubstr("policies.all.strong_share")));
  EXPECT_THAT(Problems(ParsePolicy(", artifact: a, lambda: 1, weak: tiny, strong: far, strong_share: 0.5")),
              HasSubstr("cannot stand beside strong_share"));
  EXPECT_THAT(Problems(ParsePolicy(", artifact: a, experts: [tiny]")), HasSubstr("belongs to score: pinned"));
  EXPECT_THAT(Problems(ParsePolicy(", artifact: a, map: {general: [tiny]}")),
              HasSubstr("belongs to score: category_map"));
  EXPECT_THAT(
      Problems(ParseWith(kEngine + kExperts + "policies: {all: {score: pinned, experts: [tiny], lambda: 1}}\n")),
      HasSubstr("belongs to score: predictor"));
}

}  // namespace
}  // namespace pointsman::config
