// The remote backend against an OpenAI-compatible server that we did not write.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <cstdlib>
#include <memory>

#include "backends/http/multi.h"
#include "backends/openai/openai_backend.h"
#include "tests/support/llama_server.h"
#include "tests/support/loop_runner.h"
#include "tests/support/outcome.h"

namespace pointsman::openai {
namespace {

using backends::Chunk;
using pointsman::testing::LlamaServer;
using pointsman::testing::Outcome;
using pointsman::testing::ReadAll;
using pointsman::testing::RunOn;

class RealOpenAiServer : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
#ifndef POINTSMAN_LOCAL_ENGINE
    if (!std::getenv("POINTSMAN_LLAMA_SERVER")) return;  // a build without llama.cpp has no such server
#endif
    server_ = new LlamaServer;
  }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }

  void SetUp() override {
    if (!server_)
      GTEST_SKIP() << "built without the local engine; POINTSMAN_LLAMA_SERVER can name a server to test with";
    ASSERT_EQ(server_->problem(), "");
    config::OpenAiBackend config;
    config.url = server_->url();
    config.model = "any";
    config.first_byte_timeout = config.idle_timeout = std::chrono::minutes(4);  // the machine may be busy
    expert_.name = "llama-server";
    expert_.backend = config;
    backend_ = std::make_unique<OpenAiBackend>(multi_, expert_);
    request_.add_messages()->set_role(v1::ROLE_USER);
    request_.mutable_messages(0)->add_parts()->set_text("Tell me about the sea, please.");
    request_.mutable_sampling()->set_temperature(0);
    request_.mutable_sampling()->set_max_tokens(24);
  }

  Outcome Ask(bool stream) {
    auto answer = backend_->Open(request_, stream, Clock::now() + std::chrono::minutes(4));
    return RunOn(loop_, ReadAll(*answer));
  }

  static LlamaServer* server_;
  Loop loop_{1};
  http::Multi multi_{loop_};
  config::Expert expert_;
  std::unique_ptr<OpenAiBackend> backend_;
  v1::CompleteRequest request_;
};
LlamaServer* RealOpenAiServer::server_ = nullptr;

TEST_F(RealOpenAiServer, AnswersWithUsageAtOnceAndInAStream) {
  for (bool stream : {false, true}) {
    Outcome outcome = Ask(stream);
    ASSERT_FALSE(outcome.error) << outcome.error->message;
    EXPECT_GT(outcome.all.text.size(), 20u);
    EXPECT_EQ(outcome.all.finish, v1::FINISH_REASON_LENGTH);
    ASSERT_TRUE(outcome.all.usage);
    EXPECT_GT(outcome.all.usage->prompt_tokens(), 8u);
    EXPECT_EQ(outcome.all.usage->completion_tokens(), 24u);
  }
}

TEST_F(RealOpenAiServer, StopsAtAStopString) {
  request_.mutable_sampling()->add_stop("e");
  for (bool stream : {false, true}) {
    Outcome outcome = Ask(stream);
    ASSERT_FALSE(outcome.error) << outcome.error->message;
    EXPECT_EQ(outcome.all.finish, v1::FINISH_REASON_STOP);
    EXPECT_EQ(outcome.all.text.find('e'), std::string::npos) << outcome.all.text;
  }
}

TEST_F(RealOpenAiServer, ReportsLogprobs) {
  request_.set_logprobs(true);
  request_.set_top_logprobs(3);
  for (bool stream : {false, true}) {
    Outcome outcome = Ask(stream);
    ASSERT_FALSE(outcome.error) << outcome.error->message;
    EXPECT_EQ(outcome.all.logprobs.size(), 24u);
    std::string text;
    for (const v1::TokenLogprob& token : outcome.all.logprobs) {
      text += token.token();
      EXPECT_LE(token.logprob(), 0);
      ASSERT_EQ(token.top_size(), 3);
      EXPECT_EQ(token.top(0).token(), token.token());  // greedy
      EXPECT_GE(token.top(0).logprob(), token.top(1).logprob());
      EXPECT_GE(token.top(1).logprob(), token.top(2).logprob());
    }
    EXPECT_EQ(text, outcome.all.text);
  }
}

TEST_F(RealOpenAiServer, KeepsToAJsonSchema) {
  request_.mutable_response_format()->set_json_schema(
      R"({"type":"object","properties":{"sea":{"type":"boolean"},"fish":{"type":"integer","minimum":1,"maximum":9}},)"
      R"("required":["sea","fish"],"additionalProperties":false})");
  request_.mutable_sampling()->set_max_tokens(64);
  for (bool stream : {false, true}) {
    Outcome outcome = Ask(stream);
    ASSERT_FALSE(outcome.error) << outcome.error->message;
    boost::system::error_code ec;
    boost::json::value value = boost::json::parse(outcome.all.text, ec);
    ASSERT_FALSE(ec) << outcome.all.text;
    EXPECT_TRUE(value.at("sea").is_bool()) << outcome.all.text;
    EXPECT_TRUE(value.at("fish").is_int64()) << outcome.all.text;
  }
}

// The embedded model's template knows no tools, so it calls none; the server still checks every field of them.
TEST_F(RealOpenAiServer, TakesToolsAndTheirResults) {
  v1::Tool& tool = *request_.add_tools();
  tool.set_name("look_up");
  tool.set_description("Looks a word up.");
  tool.set_parameters(R"({"type":"object","properties":{"word":{"enum":["sea","fish"]}},"required":["word"]})");
  v1::Message& asked = *request_.add_messages();
  asked.set_role(v1::ROLE_ASSISTANT);
  v1::ToolCall& call = *asked.add_tool_calls();
  call.set_id("call_1");
  call.set_name("look_up");
  call.set_arguments(R"({"word":"sea"})");
  v1::Message& result = *request_.add_messages();
  result.set_role(v1::ROLE_TOOL);
  result.set_tool_call_id("call_1");
  result.add_parts()->set_text("The sea is salt water.");
  for (const char* choice : {"", "auto", "none"}) {
    request_.set_tool_choice(choice);
    for (bool stream : {false, true}) {
      Outcome outcome = Ask(stream);
      ASSERT_FALSE(outcome.error) << outcome.error->message;
      EXPECT_TRUE(outcome.all.last());
      EXPECT_FALSE(outcome.all.text.empty());
    }
  }
}

TEST_F(RealOpenAiServer, APromptThatIsTooLongMaySuitAnotherExpert) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "sea ";
  request_.mutable_messages(0)->mutable_parts(0)->set_text(text);
  for (bool stream : {false, true}) {
    Outcome outcome = Ask(stream);
    ASSERT_TRUE(outcome.error) << outcome.all.text;
    EXPECT_EQ(outcome.error->error_class, ErrorClass::kRetryElsewhere) << outcome.error->message;
    EXPECT_EQ(outcome.error->code, Code::kInvalidArgument) << outcome.error->message;
    EXPECT_EQ(outcome.error->upstream_status, 400);
  }
}

TEST_F(RealOpenAiServer, ARequestThatMakesNoSenseIsTheCallersFault) {
  request_.mutable_response_format()->set_json_schema(R"({"type":"no such type"})");
  Outcome outcome = Ask(false);
  ASSERT_TRUE(outcome.error) << outcome.all.text;
  EXPECT_EQ(outcome.error->error_class, ErrorClass::kCallersFault) << outcome.error->message;
  EXPECT_EQ(outcome.error->code, Code::kInvalidArgument);
}

// It has one slot: would the cancelled answers go on, the last one would come too late.
TEST_F(RealOpenAiServer, ACancelledAnswerFreesItsSlot) {
  Deadline deadline = Clock::now() + std::chrono::minutes(1);
  request_.mutable_messages(0)->mutable_parts(0)->set_text("Count from 1 to 1000, one number a line, no other words.");
  request_.mutable_sampling()->set_max_tokens(900);
  for (int i = 0; i < 20; ++i) {
    auto answer = backend_->Open(request_, true, deadline);
    Result<Chunk> first = RunOn(loop_, answer->Next());
    ASSERT_TRUE(first.ok()) << first.error().message;
    ASSERT_FALSE(first->last());
    answer.reset();
    EXPECT_EQ(multi_.active(), 0u);
  }
  request_.mutable_sampling()->set_max_tokens(2);
  auto answer = backend_->Open(request_, false, deadline);
  Outcome outcome = RunOn(loop_, ReadAll(*answer));
  EXPECT_FALSE(outcome.error) << outcome.error->message;
}

}  // namespace
}  // namespace pointsman::openai
