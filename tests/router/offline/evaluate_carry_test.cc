#include "router/offline/evaluate_carry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/gates.h"

namespace pointsman::offline {
namespace {

using ::testing::HasSubstr;

class EvaluateCarryTest : public ::testing::Test {
 protected:
  EvaluateCarryTest() {
    options_.classifier = pointsman::testing::WriteTopicEmbedding(dir_);
    for (const char* topic : {"music", "sailing"}) {
      const TrainGateOptions gate = pointsman::testing::TopicGateOptions(dir_, topic);
      const auto trained = TrainGate(gate);
      EXPECT_TRUE(trained) << trained.error().message;
      options_.gates.push_back(gate.out);
    }
  }
  Result<CarryEvaluation> Of(const std::string& rows) {
    options_.rows = {dir_.Write("talks.jsonl", rows)};
    return EvaluateCarry(options_);
  }
  std::string ErrorOf(const std::string& rows) {
    const auto evaluation = Of(rows);
    return evaluation ? "" : evaluation.error().message;
  }

  pointsman::testing::TempDir dir_;
  CarryOptions options_;
};

TEST_F(EvaluateCarryTest, TurnsThatStayAndTurnsThatLeaveAreCountedApart) {
  options_.carries = {0, 0.9};
  const auto e = Of(R"({"turns": ["Tune the strings of the violin", "Which chord follows a dominant seventh?",)"
                    R"( "Which anchor holds best in sand?"], "label": ["music", "music", "sailing"]})"
                    "\n");
  ASSERT_TRUE(e) << e.error().message;
  EXPECT_EQ(e->rows, 1U);
  ASSERT_EQ(e->carries.size(), 2U);
  const CarryFigures &none = e->carries[0], &most = e->carries[1];
  EXPECT_EQ(none.same.turns, 1U);
  EXPECT_EQ(none.other.turns, 1U);
  EXPECT_EQ(none.same.hit, 1);
  EXPECT_EQ(none.same.changed, 0);
  EXPECT_EQ(none.other.hit, 1);  // by itself it is about anchors
  EXPECT_EQ(none.other.changed, 1);
  // Two turns about music weigh more than one about anchors.
  EXPECT_EQ(most.other.changed, 0);
  EXPECT_EQ(most.other.over_first, -1);
}

TEST_F(EvaluateCarryTest, TheRangeOfHSelectsRows) {
  options_.range = HashRange{0, 50};
  EXPECT_EQ(ErrorOf(R"({"h": "0000003200", "turns": ["a", "b"], "label": "music"})"
                    "\n"),
            "there are no rows (--rows, --h)");
}

TEST_F(EvaluateCarryTest, ErrorsNameThePlaceAndTheMend) {
  EXPECT_THAT(ErrorOf("{\"turns\": [\"a\"], \"label\": \"music\"}\n"),
              HasSubstr("talks.jsonl:1: a conversation of one turn carries nothing"));
  EXPECT_THAT(ErrorOf("{\"turns\": \"a\", \"label\": \"music\"}\n"), HasSubstr("field \"turns\" is not a list"));
  EXPECT_THAT(ErrorOf("{\"turns\": [\"a\", 7], \"label\": \"music\"}\n"), HasSubstr("an item that is no string"));
  EXPECT_THAT(ErrorOf("{\"turns\": [\"a\", \"b\"], \"label\": [\"music\"]}\n"), HasSubstr("1 labels for 2 turns"));
  EXPECT_THAT(ErrorOf("{\"turns\": [\"a\", \"b\"], \"label\": \"cooking\"}\n"),
              HasSubstr("no gate is that of \"cooking\""));
  options_.gates.push_back(options_.gates.front());
  EXPECT_THAT(ErrorOf(""), HasSubstr("another file is a gate of \"music\", too"));
  options_.gates.resize(1);
  EXPECT_THAT(ErrorOf(""), HasSubstr("one gate has nobody to be told from"));
  options_.carries = {1};
  EXPECT_THAT(ErrorOf(""), HasSubstr("--carry 1 is not in [0, 1)"));
}

}  // namespace
}  // namespace pointsman::offline
