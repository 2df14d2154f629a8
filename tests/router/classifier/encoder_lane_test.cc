#include "router/classifier/encoder_lane.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <optional>
#include <random>

#include "tests/fakes/fake_embedder.h"
#include "tests/support/encoder_head.h"

namespace pointsman::classifier {
namespace {

using testing_support::SmallHead;
using testing_support::Unit;

struct EncoderLaneTest : testing::Test {
  Loop loop{1};
  fakes::FakeEmbedder::Script script;
  config::EncoderLane config;
  std::vector<std::string> names = {"a", "b", "c"};

  EncoderLaneTest() {
    config.share = 0.2;
    config.timeout = std::chrono::milliseconds(30);
    script.embedding = Unit({1, 2, 0, -1, 0.5, 0, 0, 0.25});
  }
  EncoderLane Make() {
    auto head = std::make_shared<EncoderHead>(SmallHead(), "", std::nullopt);
    return EncoderLane(head, std::make_unique<fakes::FakeEmbedder>(loop, script), config);
  }
  policies::Evidence Fast(float first, float second) {
    policies::Evidence fast;
    fast.categories = names;
    fast.probabilities = {first, second, 1 - first - second};
    return fast;
  }
  SecondOpinion Refine(EncoderLane& lane, const policies::Evidence& fast, Deadline deadline = Deadline::max()) {
    std::optional<SecondOpinion> opinion;
    auto body = lane.Refine(fast, "the text", deadline);
    asio::co_spawn(loop, std::move(body), [&](std::exception_ptr error, SecondOpinion result) {
      ASSERT_FALSE(error);
      opinion = std::move(result);
    });
    loop.restart();
    loop.run();
    return *opinion;
  }
};

TEST_F(EncoderLaneTest, TheEncodersAnswerReplacesTheEvidence) {
  EncoderLane lane = Make();
  const policies::Evidence fast = Fast(0.4F, 0.35F);
  script.truncated = true;
  const SecondOpinion opinion = Refine(lane, fast);
  EXPECT_TRUE(opinion.used);
  EXPECT_EQ(opinion.failure, "");
  EXPECT_TRUE(opinion.truncated);
  const EncoderHead head(SmallHead(), "", std::nullopt);
  EXPECT_EQ(opinion.evidence.probabilities, head.PreciseEvidence(fast, script.embedding)->probabilities);
  EXPECT_NE(opinion.evidence.probabilities, fast.probabilities);
  EXPECT_EQ(script.asked, std::vector<std::string>{"the text"});
}

TEST_F(EncoderLaneTest, AfterTheTimeBudgetTheFastAnswerStands) {
  EncoderLane lane = Make();
  script.stall = true;
  const policies::Evidence fast = Fast(0.4F, 0.35F);
  const SecondOpinion opinion = Refine(lane, fast);
  EXPECT_FALSE(opinion.used);
  EXPECT_TRUE(opinion.timed_out);
  EXPECT_EQ(opinion.evidence.probabilities, fast.probabilities);
  EXPECT_EQ(opinion.failure, "the encoder did not answer within 30 ms");
  EXPECT_GE(opinion.spent, std::chrono::milliseconds(30));
}

TEST_F(EncoderLaneTest, TheRequestsOwnDeadlineIsKeptToo) {
  config.timeout = std::chrono::hours(1);
  EncoderLane lane = Make();
  script.stall = true;
  EXPECT_TRUE(Refine(lane, Fast(0.4F, 0.35F), Clock::now() + std::chrono::milliseconds(20)).timed_out);
}

TEST_F(EncoderLaneTest, AFailureLeavesTheFastAnswerAndSaysWhy) {
  EncoderLane lane = Make();
  script.failure = "model encoder is still loading";
  const SecondOpinion opinion = Refine(lane, Fast(0.4F, 0.35F));
  EXPECT_FALSE(opinion.used);
  EXPECT_FALSE(opinion.timed_out);
  EXPECT_EQ(opinion.failure, "model encoder is still loading");
  script.failure = "";
  script.embedding = {1, 0};
  const SecondOpinion wrong = Refine(lane, Fast(0.4F, 0.35F));
  EXPECT_FALSE(wrong.used);
  EXPECT_NE(wrong.failure.find("dimensions"), std::string::npos);
  EXPECT_EQ(wrong.evidence.probabilities, Fast(0.4F, 0.35F).probabilities);
}

TEST_F(EncoderLaneTest, EscalatesUnderTheThresholdOnly) {
  EncoderLane lane = Make();  // share 0.2 of SmallHead's gate: 0.2
  EXPECT_EQ(lane.Consider(lane.ConfidenceIn(Fast(0.8F, 0.1F))), EncoderLane::Choice::kSure);
  EXPECT_EQ(lane.Consider(lane.ConfidenceIn(Fast(0.5F, 0.25F))), EncoderLane::Choice::kSure);
  EXPECT_EQ(lane.Consider(lane.ConfidenceIn(Fast(0.4F, 0.35F))), EncoderLane::Choice::kEscalate);
}

TEST_F(EncoderLaneTest, AShareOfOneEscalatesAll) {
  config.share = 1;
  EncoderLane lane = Make();
  for (int i = 0; i < 1000; ++i)
    EXPECT_EQ(lane.Consider(lane.ConfidenceIn(Fast(1, 0))), EncoderLane::Choice::kEscalate);
}

TEST_F(EncoderLaneTest, TheShareIsNeverExceededByMoreThanTheBurst) {
  EncoderLane lane = Make();
  int escalated = 0;
  for (int i = 1; i <= 10'000; ++i) {
    const auto choice = lane.Consider(lane.ConfidenceIn(Fast(0.4F, 0.35F)));
    EXPECT_NE(choice, EncoderLane::Choice::kSure);
    escalated += choice == EncoderLane::Choice::kEscalate;
    ASSERT_LE(escalated, 0.2 * i + ShareBudget::kBurst);
  }
  EXPECT_GE(escalated, 2000 - 1);
}

TEST(ShareBudget, HoldsOverEveryWindow) {
  std::mt19937 random(3);
  ShareBudget budget(0.1);
  std::vector<int> taken = {0};
  for (int i = 0; i < 3000; ++i) {
    const bool wanted = (i / 300) % 2 == 0 ? random() % 2 == 0 : random() % 50 == 0;  // bursts and quiet times
    taken.push_back(taken.back() + budget.Take(wanted));
  }
  for (std::size_t from = 0; from < taken.size(); from += 7) {
    for (std::size_t to = from + 1; to < taken.size(); to += 11) {
      ASSERT_LE(taken[to] - taken[from], 0.1 * static_cast<double>(to - from) + ShareBudget::kBurst + 1e-9);
    }
  }
}

}  // namespace
}  // namespace pointsman::classifier
