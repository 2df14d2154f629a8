// What a request to the embedded model promises.
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "tests/support/engine_harness.h"

namespace pointsman::testing {
namespace {

// One worker for all tests of this file: loading takes half a second.
class Generate : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    harness = new EngineHarness({SmallModel()});
    ASSERT_TRUE(harness->Settled());
    ASSERT_EQ(harness->supervisor().Unavailable("small"), "");
  }
  static void TearDownTestSuite() { delete harness; }

  static EngineHarness* harness;
};

EngineHarness* Generate::harness = nullptr;

v1::CompleteRequest Capital() {
  v1::CompleteRequest request = Ask("What is the capital of France?");
  request.mutable_sampling()->set_max_tokens(24);
  return request;
}

TEST_F(Generate, GreedyAnswerKnowsTheCapitalOfFrance) {
  const Answer answer = harness->Complete(Capital());
  ASSERT_FALSE(answer.error) << answer.error->message;
  EXPECT_NE(answer.text.find("Paris"), std::string::npos) << answer.text;
  ASSERT_TRUE(answer.usage);
  EXPECT_GT(answer.usage->prompt_tokens(), 10u);
  EXPECT_GT(answer.usage->completion_tokens(), 2u);
  EXPECT_EQ(answer.finish, v1::FINISH_REASON_STOP);
}

}  // namespace
}  // namespace pointsman::testing
