#include "router/offline/outcomes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/temp_dir.h"

namespace pointsman::offline {
namespace {

using pointsman::testing::TempDir;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class OutcomesTest : public ::testing::Test {
 protected:
  Result<Outcomes> Read(const std::string& name, std::string_view text) {
    options_.file = dir_.Write(name, text);
    return ReadOutcomes(options_);
  }
  std::string ErrorOf(const std::string& name, std::string_view text) {
    const auto read = Read(name, text);
    return read.ok() ? "" : read.error().message;
  }

  TempDir dir_;
  OutcomeOptions options_;
};

constexpr std::string_view kMatrix =
    "id,h,category,answer,pred:b,pred:a,chars:a\n"
    "1,0000000a00,math,A,A,B,7\n"
    "2,0000003200,law,C,-,,0\n"
    "3,0000001400,art,B,B,B,9\n";

TEST_F(OutcomesTest, AnswersAreKeptInTheExpertsOrderWhereAskedFor) {
  options_.answers = true;
  const auto read = Read("m.csv", kMatrix);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_THAT(read->rows[0].answers, ElementsAre("B", "A"));  // experts are sorted: a, b
  EXPECT_THAT(read->rows[1].answers, ElementsAre("", ""));
  options_.answers = false;
  EXPECT_TRUE(Read("m.csv", kMatrix)->rows[0].answers.empty());
}

TEST_F(OutcomesTest, MatrixScoresArePredictionsThatAreTheAnswer) {
  const auto read = Read("m.csv", kMatrix);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_THAT(read->experts, ElementsAre("a", "b"));
  EXPECT_THAT(read->categories, ElementsAre("art", "law", "math"));
  EXPECT_EQ(read->rows[0].category, 2U);
  EXPECT_THAT(read->rows[0].scores, ElementsAre(0, 1));
  EXPECT_TRUE(std::isnan(read->rows[1].scores[0]));  // not asked
  EXPECT_EQ(read->rows[1].scores[1], 0);             // no answer found
}

TEST_F(OutcomesTest, CompleteLeavesOutRowsThatSomeChosenExpertDidNotAnswer) {
  options_.complete = true;
  EXPECT_EQ(Read("m.csv", kMatrix)->incomplete, 1U);
  options_.experts = {"b"};
  const auto read = Read("m.csv", kMatrix);
  EXPECT_EQ(read->incomplete, 0U);
  EXPECT_THAT(read->rows[2].scores, ElementsAre(1));
  options_.experts = {"b", "c"};
  EXPECT_THAT(ErrorOf("m.csv", kMatrix), HasSubstr("m.csv:2: no column \"pred:c\""));
}

TEST_F(OutcomesTest, TheRangeOfHSelectsRows) {
  options_.range = HashRange{0, 50};  // the hashes end in 10, 50 and 20
  EXPECT_EQ(Read("m.csv", kMatrix)->rows.size(), 2U);
  options_.range = HashRange{50, 51};
  EXPECT_EQ(Read("m.csv", kMatrix)->rows[0].id, "2");
  options_.range = HashRange{60, 70};
  EXPECT_THAT(ErrorOf("m.csv", kMatrix), HasSubstr("no row is left"));
  EXPECT_THAT(ErrorOf("s.jsonl", "{\"category\": \"x\", \"scores\": {\"a\": 1}}\n"),
              HasSubstr("s.jsonl:1: no field \"h\""));
}

TEST_F(OutcomesTest, ScoresAndTheirQuestionAreRead) {
  const auto read = Read(
      "s.jsonl", "{\"id\": \"1\", \"task\": \"x\", \"question\": \"why\", \"scores\": {\"b\": 0.5, \"a\": null}}\n");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->rows[0].question, "why");
  EXPECT_EQ(read->rows[0].scores[read->experts.size() - 1], 0.5F);
  EXPECT_THAT(ErrorOf("s.jsonl", "{\"task\": \"x\", \"scores\": {\"a\": 2}}\n"),
              HasSubstr("s.jsonl:1: the score of \"a\" is 2"));
  EXPECT_THAT(ErrorOf("s.jsonl", "{\"task\": \"x\", \"scores\": {\"a\": \"1\"}}\n"), HasSubstr("is not a number"));
}

TEST_F(OutcomesTest, ModelsHaveTheirScoreAndTheirAnswer) {
  options_.answers = true;
  options_.text = QuestionText::kQuestionAndOptions;
  const auto read =
      Read("m.jsonl", R"({"id": "1", "category": "x", "question": "which", "options": ["p", "q"], "models": {)"
                      R"("d": {"pred": "B", "output": "The answer is (A).", "correct": 1}, )"
                      R"("c": {"output": "The answer is (A).", "correct": false}, )"
                      R"("b": {"pred": null, "correct": 0}, "a": null}})"
                      "\n");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_THAT(read->experts, ElementsAre("b", "c", "d"));
  EXPECT_THAT(read->rows[0].scores, ElementsAre(0, 0, 1));
  EXPECT_THAT(read->rows[0].answers, ElementsAre("", "A", "B"));
  EXPECT_EQ(read->rows[0].question, "which\np\nq");
}

TEST_F(OutcomesTest, ModelsWithoutCategoriesAreOfOne) {
  constexpr std::string_view kRow =
      R"({"prompt": "9 * 60?", "models": {"a": {"solution": "9*60=<<9*60=540>>540 meters\nA: 540", "correct": 1}}})"
      "\n";
  options_.answers = true;
  const auto read = Read("m.jsonl", kRow);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_THAT(read->categories, ElementsAre("all"));
  EXPECT_EQ(read->rows[0].question, "9 * 60?");
  EXPECT_THAT(read->rows[0].answers, ElementsAre("540"));
  EXPECT_THAT(ErrorOf("m.jsonl", std::string(kRow) + R"({"category": "x", "models": {"a": {"correct": 1}}})" + "\n"),
              HasSubstr("m.jsonl:2: some rows have a category, and some have none"));
}

TEST_F(OutcomesTest, ModelsThatSayNothingAreErrors) {
  const auto error = [&](const std::string& models) { return ErrorOf("m.jsonl", "{\"models\": {" + models + "}}\n"); };
  EXPECT_THAT(error(R"("a": {"pred": "A"})"), HasSubstr("m.jsonl:1: \"a\" of \"models\" has no \"correct\""));
  EXPECT_THAT(error(R"("a": {"correct": 0.5})"), HasSubstr("\"correct\" of \"a\" is neither 0 nor 1"));
  EXPECT_THAT(error(R"("a": 1)"), HasSubstr("is not an object"));
  EXPECT_EQ(error(R"("a": {"correct": 1})"), "");  // answers are not asked for
  options_.answers = true;
  EXPECT_THAT(error(R"("a": {"correct": 1})"), HasSubstr("\"a\" has no answer: neither"));
  EXPECT_THAT(error(R"("a": {"correct": 1, "output": 7})"), HasSubstr("\"output\" of \"a\" is not a string"));
  options_.experts = {"b"};
  EXPECT_THAT(error(R"("a": {"correct": 1})"), HasSubstr("\"models\" has no \"b\""));
}

TEST_F(OutcomesTest, LongRowsOfOneIdAreOneRequest) {
  const auto read = Read("l.csv", "id,category,expert,score\n1,x,a,1\n1,x,b,0.5\n2,y,a,0\n");
  ASSERT_TRUE(read.ok()) << read.error().message;
  ASSERT_EQ(read->rows.size(), 2U);
  EXPECT_THAT(read->rows[0].scores, ElementsAre(1, 0.5F));
  EXPECT_TRUE(std::isnan(read->rows[1].scores[1]));
  EXPECT_THAT(ErrorOf("l.csv", "id,category,expert,score\n1,x,a,1\n1,x,a,0\n"),
              HasSubstr("l.csv:3: the id \"1\" has two"));
  EXPECT_THAT(ErrorOf("l.csv", "id,category,expert,score\n1,x,a,1\n1,y,b,0\n"), HasSubstr("another category"));
}

TEST_F(OutcomesTest, UnknownFormsAndSecondIdsAreErrors) {
  EXPECT_THAT(ErrorOf("u.csv", "category,answer\nx,A\n"), HasSubstr("u.csv:2: no outcomes"));
  EXPECT_THAT(ErrorOf("u.csv", "id,category,answer,pred:a\n1,x,A,A\n1,x,A,A\n"),
              HasSubstr("u.csv:3: the id \"1\" was"));
}

TEST(HashRange, IsLowAndHigh) {
  EXPECT_EQ((*ParseHashRange("5:70"))->last, 70U);
  EXPECT_FALSE(ParseHashRange("")->has_value());
  for (const char* wrong : {"5", "70:5", "5:5", "0:101", "a:b", "1:2:3", "-1:5"}) {
    EXPECT_FALSE(ParseHashRange(wrong).ok()) << wrong;
  }
}

}  // namespace
}  // namespace pointsman::offline
