#include "backends/openai/openai_backend.h"

#include "tests/backends/openai/backend_fixture.h"

namespace pointsman::openai {
namespace {

using namespace std::chrono_literals;

void ExpectGood(const Outcome& outcome, std::string_view text) {
  ASSERT_FALSE(outcome.error) << outcome.error->message;
  EXPECT_EQ(outcome.all.text, text);
  EXPECT_EQ(outcome.all.finish, v1::FINISH_REASON_STOP);
}

TEST_F(OpenAiBackendTest, StreamsAnAnswer) {
  Outcome outcome = Ask("/normal;chunks=7");
  ExpectGood(outcome, "w0 w1 w2 w3 w4 w5 w6 ");
  ASSERT_TRUE(outcome.all.usage);
  EXPECT_EQ(outcome.all.usage->prompt_tokens(), 11u);
  EXPECT_EQ(outcome.all.usage->cached_tokens(), 7u);
  EXPECT_EQ(outcome.all.usage->completion_tokens(), 7u);
}

TEST_F(OpenAiBackendTest, FetchesAWholeAnswerInOneChunk) {
  Outcome outcome = Ask("/normal;chunks=3", false);
  ExpectGood(outcome, "w0 w1 w2 ");
  EXPECT_EQ(outcome.chunks, 1);
  EXPECT_EQ(outcome.all.usage->completion_tokens(), 3u);
}

TEST_F(OpenAiBackendTest, SendsTheKeyTheHeadersAndTheBody) {
  config_.headers = {{"X-Team", "signals"}};
  Ask("/normal");
  EXPECT_NE(server_.last_head().find("POST /normal/chat/completions HTTP/1.1\r\n"), std::string::npos);
  EXPECT_NE(server_.last_head().find("\r\nAuthorization: Bearer sk-secret-1234\r\n"), std::string::npos);
  EXPECT_NE(server_.last_head().find("\r\nX-Team: signals\r\n"), std::string::npos);
  EXPECT_NE(server_.last_head().find("\r\nContent-Type: application/json\r\n"), std::string::npos);
  EXPECT_EQ(server_.last_body(),
            R"({"model":"fault","messages":[{"role":"user","content":"Which way?"}],"stream":true,)"
            R"("stream_options":{"include_usage":true}})");
}

TEST_F(OpenAiBackendTest, SendsNoAuthorizationWithoutAKey) {
  config_.key.clear();
  Ask("/normal");
  EXPECT_EQ(server_.last_head().find("Authorization"), std::string::npos);
}

TEST_F(OpenAiBackendTest, ReadsEventsHoweverTheyAreCut) {
  for (std::string eol : {"lf", "crlf", "cr"}) {
    for (std::string dribble : {"1", "2", "3", "7", "64", "1000"}) {
      SCOPED_TRACE(eol + " in pieces of " + dribble);
      ExpectGood(Ask("/normal;chunks=4;eol=" + eol + ";dribble=" + dribble), "w0 w1 w2 w3 ");
    }
  }
}

TEST_F(OpenAiBackendTest, JoinsDeltasThatCameTogether) {
  // 8 KB hold about 50 events. On a busy machine server and client may take turns, so that nothing comes together.
  for (int tries = 0; tries < 50; ++tries) {
    Outcome outcome = Ask("/normal;chunks=2000");
    ASSERT_FALSE(outcome.error);
    if (outcome.chunks < 1000) return;
  }
  FAIL() << "no two deltas ever came together";
}

TEST_F(OpenAiBackendTest, ReportsLogprobs) {
  request_.set_logprobs(true);
  request_.set_top_logprobs(2);
  for (bool stream : {true, false}) {
    Outcome outcome = Ask("/logprobs", stream);
    ExpectGood(outcome, "Hello you");
    ASSERT_EQ(outcome.all.logprobs.size(), 2u);
    EXPECT_EQ(outcome.all.logprobs[0].token(), "Hello");
    EXPECT_EQ(outcome.all.logprobs[0].logprob(), -0.25);
    ASSERT_EQ(outcome.all.logprobs[0].top_size(), 2);
    EXPECT_EQ(outcome.all.logprobs[0].top(1).token(), "Hi");
    EXPECT_EQ(outcome.all.logprobs[0].top(1).logprob(), -1.5);
    EXPECT_EQ(outcome.all.logprobs[1].token(), " you");
  }
}

TEST_F(OpenAiBackendTest, GathersToolCalls) {
  for (bool stream : {true, false}) {
    Outcome outcome = Ask("/tools", stream);
    ASSERT_FALSE(outcome.error) << outcome.error->message;
    EXPECT_EQ(outcome.all.finish, v1::FINISH_REASON_TOOL_CALLS);
    ASSERT_EQ(outcome.all.tool_calls.size(), 2u);
    EXPECT_EQ(outcome.all.tool_calls[0].id(), "call_0");
    EXPECT_EQ(outcome.all.tool_calls[0].name(), "weather");
    EXPECT_EQ(outcome.all.tool_calls[0].arguments(), R"({"city":"Bern","days":2})");
    EXPECT_EQ(outcome.all.tool_calls[1].id(), "call_1");
    EXPECT_EQ(outcome.all.tool_calls[1].arguments(), R"({"city":"Uri"})");
  }
}

TEST_F(OpenAiBackendTest, UsesTheConnectionAgain) {
  config_.url = server_.url("/normal");
  expert_.backend = config_;
  OpenAiBackend backend(multi_, expert_);
  for (int i = 0; i < 20; ++i) {
    auto answer = backend.Open(request_, i % 2 == 0, Deadline::max());
    ExpectGood(RunOn(loop_, ReadAll(*answer)), "w0 w1 w2 w3 w4 ");
    answer.reset();
    while (multi_.active() > 0) loop_.run_one();  // the rest of the stream after [DONE]
  }
  EXPECT_EQ(server_.counts().connections, 1u);
  EXPECT_EQ(server_.counts().aborted, 0u);
}

TEST_F(OpenAiBackendTest, AnswersOverANewConnectionWhenTheKeptOneIsDead) {
  for (std::string behaviour : {"/close_idle", "/close_on_reuse"}) {
    config_.url = server_.url(behaviour);
    expert_.backend = config_;
    OpenAiBackend backend(multi_, expert_);
    for (int i = 0; i < 5; ++i) {
      auto answer = backend.Open(request_, false, Deadline::max());
      ExpectGood(RunOn(loop_, ReadAll(*answer)), "w0 w1 w2 w3 w4 ");
    }
  }
}

TEST_F(OpenAiBackendTest, DoesNotWaitForTheEndOfTheHttpBodyAfterDone) {
  config_.url = server_.url("/lingering");
  expert_.backend = config_;
  OpenAiBackend backend(multi_, expert_);
  auto answer = backend.Open(request_, true, Deadline::max());
  ExpectGood(RunOn(loop_, ReadAll(*answer)), "w0 w1 w2 w3 w4 ");
  EXPECT_EQ(multi_.active(), 1u);  // still waiting for it, in the background
  answer.reset();
  while (multi_.active() > 0) loop_.run_one();  // but not for long
  EXPECT_TRUE(server_.WaitFor([](const FaultServer::Counts& c) { return c.open == 0; }));
}

TEST_F(OpenAiBackendTest, RefusesARequestThatCannotBeWritten) {
  request_.add_tools()->set_name("f");
  request_.mutable_tools(0)->set_parameters("{\"type\":");
  Outcome outcome = Ask("/normal");
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->error_class, ErrorClass::kCallersFault);
  EXPECT_EQ(outcome.error->code, Code::kInvalidArgument);
  EXPECT_EQ(outcome.error->field, "tools[0].parameters");
  EXPECT_EQ(server_.counts().requests, 0u);
}

}  // namespace
}  // namespace pointsman::openai
