#include "router/offline/same_experts.h"

#include <gtest/gtest.h>

#include <random>

namespace pointsman::offline {
namespace {

// Two categories of 400 requests; expert 1 copies expert 0 but for a few, expert 2 is as good but elsewhere, expert 3
// is worse.
Outcomes Rows() {
  std::mt19937 random(4);
  std::uniform_real_distribution<double> unit(0, 1);
  Outcomes outcomes;
  outcomes.experts = {"a", "copy", "elsewhere", "worse"};
  outcomes.categories = {"x", "y"};
  for (int i = 0; i < 800; ++i) {
    const std::uint32_t c = i % 2;
    const double chance = c ? 0.8 : 0.4;
    const float a = unit(random) < chance;
    const float again = unit(random) < chance;
    const float copy = unit(random) < 0.08 ? again : a;
    const float elsewhere = unit(random) < 1.2 - chance;
    outcomes.rows.push_back({"", c, "", {a, copy, elsewhere, unit(random) < 0.3 ? 1.0F : 0.0F}});
  }
  return outcomes;
}

TEST(SameExperts, FindsTheCopyAndNotTheOneThatIsGoodElsewhere) {
  const auto same = FindSameExperts(Rows());
  ASSERT_EQ(same.size(), 1U);
  EXPECT_EQ(same[0].a, 0U);
  EXPECT_EQ(same[0].b, 1U);
  EXPECT_TRUE(same[0].duplicate);
  EXPECT_EQ(same[0].rows, 800U);
}

TEST(SameExperts, SaysNothingOfFewRows) {
  Outcomes outcomes = Rows();
  outcomes.rows.resize(kLeastSharedRows - 1);
  EXPECT_TRUE(FindSameExperts(outcomes).empty());
}

}  // namespace
}  // namespace pointsman::offline
