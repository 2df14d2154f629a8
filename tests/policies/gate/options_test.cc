#include "policies/gate/options.h"

#include <gtest/gtest.h>

#include <cmath>

namespace pointsman::gate {
namespace {

TEST(CountOptions, FindsLetteredLines) {
  EXPECT_EQ(CountOptions("Find the degree.\nA. 0\nB. 4\nC. 2\nD. 6\nAnswer:"), 4U);
  EXPECT_EQ(CountOptions("Which?\n(A) this\n(B) that"), 2U);
  EXPECT_EQ(CountOptions("Which?\n  A) this\n  B) that\n  C) both"), 3U);
  EXPECT_EQ(CountOptions("Which one: (A) red (B) green (C) blue?"), 3U);
  EXPECT_EQ(CountOptions("A: yes\nB: no"), 2U);
}

TEST(CountOptions, CountsTheLastQuestionOfSeveral) {
  EXPECT_EQ(CountOptions("One\nA. 1\nB. 2\nC. 3\nD. 4\nAnswer: A\n\nTwo\nA. x\nB. y\nAnswer:"), 2U);
}

TEST(CountOptions, IsNotFooledByProse) {
  EXPECT_EQ(CountOptions(""), 0U);
  EXPECT_EQ(CountOptions("A. Smith wrote this. B. Jones did not."), 0U);
  EXPECT_EQ(CountOptions("Plan A. Plan B."), 0U);
  EXPECT_EQ(CountOptions("A train leaves.\nB"), 0U);
  EXPECT_EQ(CountOptions("C. of what\nD. of that"), 0U);
  EXPECT_EQ(CountOptions("f(A) and f(B) are sets"), 0U);
}

TEST(OptionProbabilities, JoinsTheLettersForms) {
  const std::vector<TopToken> top = {{" A", std::log(0.4)},
                                     {"A", std::log(0.1)},
                                     {"B", std::log(0.3)},
                                     {"The", std::log(0.1)},
                                     {" C", std::log(0.05)}};
  std::vector<double> out(4);
  EXPECT_NEAR(OptionProbabilities(top, out), 0.85, 1e-12);
  EXPECT_NEAR(out[0], 0.5 / 0.85, 1e-12);
  EXPECT_NEAR(out[1], 0.3 / 0.85, 1e-12);
  EXPECT_NEAR(out[2], 0.05 / 0.85, 1e-12);
  EXPECT_EQ(out[3], 0);
}

TEST(OptionProbabilities, WithoutALetterAreUniformAndOfNoMass) {
  const std::vector<TopToken> top = {{"The", -0.1}, {"E", -1}, {"Apple", -2}};
  std::vector<double> out(4);
  EXPECT_EQ(OptionProbabilities(top, out), 0);
  EXPECT_EQ(out, std::vector<double>(4, 0.25));
}

struct Case {
  const char* text;
  std::size_t options;
  const char* answer;
};

class ExtractAnswerTest : public testing::TestWithParam<Case> {};

TEST_P(ExtractAnswerTest, FindsWhatWasMeant) {
  EXPECT_EQ(ExtractAnswer(GetParam().text, GetParam().options), GetParam().answer) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Letters, ExtractAnswerTest,
    testing::Values(Case{"B", 4, "B"}, Case{" C", 4, "C"}, Case{"B. The mitochondrion", 4, "B"},
                    Case{"(D) because", 4, "D"}, Case{"**A**", 4, "A"}, Case{"The answer is (B).", 4, "B"},
                    Case{"The correct answer is: **C. 12**", 4, "C"}, Case{"Answer: D", 4, "D"},
                    Case{"I think the answer is A, not B.", 4, "A"},
                    Case{"First A looks right, but the answer is B. So the answer is C", 4, "C"},
                    Case{"$\\boxed{B}$", 4, "B"}, Case{"\\boxed{\\text{D}}", 4, "D"},
                    Case{"So we choose option C.", 4, "C"}, Case{"Reasoning...\n(A) is wrong, (C) holds", 4, "C"},
                    Case{"Long story\nB\n", 4, "B"}, Case{"E", 4, ""}, Case{"E", 5, "E"},
                    Case{"A train leaves at noon.", 4, ""}, Case{"Because of this.", 4, ""}, Case{"", 4, ""},
                    Case{"Vitamin C helps", 4, ""}, Case{"The answer is a number", 4, ""}));

INSTANTIATE_TEST_SUITE_P(
    Numbers, ExtractAnswerTest,
    testing::Values(Case{"He runs 3*60=180 meters.\n#### 540", 0, "540"},
                    Case{"So it costs $1,234.50 in all.", 0, "1234.5"}, Case{"The answer is 42.", 0, "42"},
                    Case{"The answer is 42.\nCheck: 40 + 2", 0, "42"}, Case{"answer: 3 * 5 = 15", 0, "15"},
                    Case{"\\boxed{-7}", 0, "-7"}, Case{"It is -3.0", 0, "-3"}, Case{"from 5-3", 0, "3"},
                    Case{"10% of 50 is 5%", 0, "5"}, Case{"007", 0, "7"}, Case{"0.50", 0, "0.5"},
                    Case{"It is .5", 0, "0.5"}, Case{"on 1,2 and 3,4", 0, "4"}, Case{"gpt4 says x2", 0, ""},
                    Case{"nothing", 0, ""}, Case{"", 0, ""}, Case{"-0", 0, "0"}, Case{"He pays -$5", 0, "-5"},
                    Case{"12,345,678 people", 0, "12345678"},
                    Case{"The answer is clear:\nwe have 4 and 5, so 9", 0, "9"}));

TEST(Agreement, IsTheMajoritysShare) {
  const std::vector<std::string> answers = {"3", "4", "4", "5", "4"};
  const Votes votes = Agreement(answers);
  EXPECT_EQ(votes.shares, (std::vector<double>{0.6, 0.2, 0.2}));
  EXPECT_EQ(votes.majority, 1U);
  EXPECT_EQ(votes.samples, 5U);
}

TEST(Agreement, AnswersThatWereNotFoundAgreeWithNothing) {
  const std::vector<std::string> answers = {"", "", "B", ""};
  const Votes votes = Agreement(answers);
  EXPECT_EQ(votes.shares, (std::vector<double>{0.25, 0.25, 0.25, 0.25}));
  EXPECT_EQ(votes.majority, 2U);
}

TEST(Agreement, OfEqualVotesTheFirstWins) {
  const std::vector<std::string> answers = {"A", "B", "B", "A"};
  EXPECT_EQ(Agreement(answers).majority, 0U);
  EXPECT_TRUE(Agreement({}).shares.empty());
}

}  // namespace
}  // namespace pointsman::gate
