#include "backends/openai/openai_backend.h"

#include <gtest/gtest.h>

#include <string>

#include "backends/http/multi.h"
#include "tests/fakes/fault_server.h"
#include "tests/support/loop_runner.h"

namespace pointsman::openai {
namespace {

using backends::Chunk;
using testing::FaultServer;
using testing::RunOn;
using namespace std::chrono_literals;

// What a stream gave: its chunks joined, or the error that ended it.
struct Outcome {
  Chunk all;
  int chunks = 0;
  std::optional<Error> error;
};

Awaitable<Outcome> ReadAll(backends::AnswerStream& stream) {
  Outcome out;
  for (;;) {
    Result<Chunk> next = co_await stream.Next();
    if (!next) {
      out.error = next.error();
      co_return out;
    }
    ++out.chunks;
    out.all.text += next->text;
    for (auto& token : next->logprobs) out.all.logprobs.push_back(token);
    for (auto& call : next->tool_calls) out.all.tool_calls.push_back(call);
    if (!next->last()) continue;
    out.all.usage = next->usage;
    out.all.finish = next->finish;
    co_return out;
  }
}

class OpenAiBackendTest : public ::testing::Test {
 protected:
  OpenAiBackendTest() {
    request_.add_messages()->set_role(v1::ROLE_USER);
    request_.mutable_messages(0)->add_parts()->set_text("Which way?");
    expert_.name = "remote";
    config_.model = "fault";
    config_.key = "sk-secret-1234";
    config_.key_source = "environment variable REMOTE_KEY";
  }

  Outcome Ask(std::string_view behaviour, bool stream = true, Deadline deadline = Deadline::max()) {
    config_.url = server_.url(behaviour);
    return AskConfigured(stream, deadline);
  }

  Outcome AskConfigured(bool stream, Deadline deadline = Deadline::max()) {
    expert_.backend = config_;
    OpenAiBackend backend(multi_, expert_);
    auto answer = backend.Open(request_, stream, deadline);
    return RunOn(loop_, ReadAll(*answer));
  }

  void ExpectUnavailable(const Outcome& outcome, std::string_view text) {
    ASSERT_TRUE(outcome.error) << "an answer came: " << outcome.all.text;
    EXPECT_EQ(outcome.error->error_class, ErrorClass::kRetryElsewhere) << outcome.error->message;
    EXPECT_EQ(outcome.error->code, Code::kUnavailable) << outcome.error->message;
    EXPECT_NE(outcome.error->message.find(text), std::string::npos) << outcome.error->message;
    EXPECT_TRUE(outcome.error->message.starts_with("expert \"remote\": ")) << outcome.error->message;
  }

  FaultServer server_;
  Loop loop_{1};
  http::Multi multi_{loop_};
  config::Expert expert_;
  config::OpenAiBackend config_;
  v1::CompleteRequest request_;
};

TEST_F(OpenAiBackendTest, StreamsAnAnswer) {
  Outcome outcome = Ask("/normal;chunks=7");
  ASSERT_FALSE(outcome.error) << outcome.error->message;
  EXPECT_EQ(outcome.all.text, "w0 w1 w2 w3 w4 w5 w6 ");
  EXPECT_EQ(outcome.all.finish, v1::FINISH_REASON_STOP);
  ASSERT_TRUE(outcome.all.usage);
  EXPECT_EQ(outcome.all.usage->prompt_tokens(), 11u);
  EXPECT_EQ(outcome.all.usage->cached_tokens(), 7u);
  EXPECT_EQ(outcome.all.usage->completion_tokens(), 7u);
}

TEST_F(OpenAiBackendTest, FetchesAWholeAnswer) {
  Outcome outcome = Ask("/normal;chunks=3", false);
  ASSERT_FALSE(outcome.error) << outcome.error->message;
  EXPECT_EQ(outcome.chunks, 1);
  EXPECT_EQ(outcome.all.text, "w0 w1 w2 ");
  EXPECT_EQ(outcome.all.finish, v1::FINISH_REASON_STOP);
  EXPECT_EQ(outcome.all.usage->completion_tokens(), 3u);
}

}  // namespace
}  // namespace pointsman::openai
