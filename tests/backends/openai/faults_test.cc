// Every misbehaviour of an upstream, and the one error that it becomes.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "tests/backends/openai/backend_fixture.h"

namespace pointsman::openai {
namespace {

using namespace std::chrono_literals;

class FaultsTest : public OpenAiBackendTest {
 protected:
  void Expect(const Outcome& outcome, ErrorClass error_class, Code code, std::string_view text) {
    ASSERT_TRUE(outcome.error) << "an answer came: " << outcome.all.text;
    EXPECT_EQ(outcome.error->error_class, error_class) << outcome.error->message;
    EXPECT_EQ(outcome.error->code, code) << outcome.error->message;
    EXPECT_NE(outcome.error->message.find(text), std::string::npos) << outcome.error->message;
    EXPECT_EQ(outcome.all.finish, v1::FINISH_REASON_UNSPECIFIED);
  }
  void ExpectElsewhere(const Outcome& outcome, std::string_view text) {
    Expect(outcome, ErrorClass::kRetryElsewhere, Code::kUnavailable, text);
  }
};

struct BrokenStream {
  const char* behaviour;
  const char* text;  // delivered before the error
  const char* message;
};

TEST_F(FaultsTest, AStreamThatBreaksIsAnErrorAfterItsText) {
  const std::vector<BrokenStream> cases = {
      {"/reset", "w0 w1 ", "the answer ended without its terminator after 2 chunks: http://127.0.0.1:"},
      {"/cut", "w0 w1 ", "the connection closed inside the answer"},
      {"/truncate", "w0 w1 ", "after 2 chunks: finish_reason and [DONE] are missing"},
      {"/truncate;chunks=0", "", "finish_reason and [DONE] are missing"},
      {"/no_done", "w0 w1 ", "after 3 chunks: [DONE] is missing after the finish_reason"},
      {"/no_finish", "w0 w1 ", "it has no finish_reason"},
      {"/half_frame", "w0 w1 ", "after 2 chunks: it stops inside an event"},
      {"/half_json", "w0 w1 ", "the answer makes no sense: not JSON"},
      {"/stream_error", "w0 w1 ", "the model fell over"},
      {"/garbage", "", "the answer makes no sense: not JSON"},
      {"/huge_event", "", "an event is longer than 1048576 bytes"},
      {"/wrong_type", "", "it has the content type \"text/html\" instead of text/event-stream"},
      {"/reset;chunks=0", "", "http://127.0.0.1:"},
      {"/normal;finish=insufficient_system_resource", "w0 w1 w2 w3 w4 ", "its finish_reason is"},
  };
  for (const BrokenStream& c : cases) {
    SCOPED_TRACE(c.behaviour);
    Outcome outcome = Ask(c.behaviour);
    ExpectElsewhere(outcome, c.message);
    EXPECT_EQ(outcome.all.text, c.text);
  }
}

TEST_F(FaultsTest, AWholeAnswerThatBreaksIsAnError) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"/half_json", "the answer makes no sense: not JSON"},
      {"/garbage", "the answer makes no sense: not JSON"},
      {"/wrong_type", "Welcome to the proxy"},
      {"/cut", "the connection closed inside the answer"},
      {"/reset", "http://127.0.0.1:"},
      {"/reset;chunks=0", "http://127.0.0.1:"},
      {"/normal;finish=error", "its finish_reason is \"error\""},
  };
  for (auto [behaviour, message] : cases) {
    SCOPED_TRACE(behaviour);
    Outcome outcome = Ask(behaviour, false);
    ExpectElsewhere(outcome, message);
    EXPECT_EQ(outcome.all.text, "");
  }
}

struct Refusal {
  const char* behaviour;
  int status;
  ErrorClass error_class;
  Code code;
  const char* message;
};

TEST_F(FaultsTest, EachStatusHasItsClass) {
  constexpr ErrorClass kElsewhere = ErrorClass::kRetryElsewhere, kFault = ErrorClass::kCallersFault;
  const std::vector<Refusal> cases = {
      {"/status;code=400", 400, kFault, Code::kInvalidArgument, "HTTP status 400: fault 400 on demand"},
      {"/status;code=413", 413, kFault, Code::kInvalidArgument, "fault 413 on demand"},
      {"/status;code=422;shape=fastapi", 422, kFault, Code::kInvalidArgument, "fault 422 on demand"},
      {"/context_length", 400, kElsewhere, Code::kInvalidArgument, "maximum context length is 16"},
      {"/status;code=401", 401, kElsewhere, Code::kUnavailable, "environment variable REMOTE_KEY"},
      {"/status;code=403;shape=string", 403, kElsewhere, Code::kUnavailable, "fault 403 on demand"},
      {"/status;code=402", 402, kElsewhere, Code::kUnavailable, "fault 402 on demand"},
      {"/status;code=404;shape=message", 404, kElsewhere, Code::kUnavailable,
       "no such model or URL: HTTP status 404: fault"},
      {"/status;code=408", 408, kElsewhere, Code::kUnavailable, "fault 408 on demand"},
      {"/status;code=429", 429, kElsewhere, Code::kResourceExhausted, "fault 429 on demand"},
      {"/status;code=500", 500, kElsewhere, Code::kUnavailable, "fault 500 on demand"},
      {"/status;code=500;shape=empty", 500, kElsewhere, Code::kUnavailable, "HTTP status 500"},
      {"/status;code=502;shape=html", 502, kElsewhere, Code::kUnavailable, "fault 502 on demand"},
      {"/status;code=503;shape=plain", 503, kElsewhere, Code::kUnavailable, "HTTP status 503: fault 503 on demand"},
      {"/redirect", 302, kElsewhere, Code::kUnavailable, "redirects are not followed"},
  };
  for (const Refusal& c : cases) {
    for (bool stream : {true, false}) {
      SCOPED_TRACE(c.behaviour);
      Outcome outcome = Ask(c.behaviour, stream);
      Expect(outcome, c.error_class, c.code, c.message);
      EXPECT_EQ(outcome.error->upstream_status, c.status);
      EXPECT_EQ(outcome.error->retry_after.count(), 0);
    }
  }
}

TEST_F(FaultsTest, RetryAfterIsCarried) {
  EXPECT_EQ(Ask("/status;code=429;retry_after=7").error->retry_after, 7s);
  auto date = Ask("/status;code=503;retry_date=60", false).error->retry_after;
  EXPECT_GE(date, 30s);
  EXPECT_LE(date, 60s);
  EXPECT_EQ(Ask("/status;code=429;retry_after=999999").error->retry_after, 1h);  // nobody means that
}

TEST_F(FaultsTest, TheKeyNeverShows) {
  Outcome outcome = Ask("/echo_key");
  ExpectElsewhere(outcome, "no such key: Bearer [key]");
  EXPECT_EQ(outcome.error->message.find("secret"), std::string::npos);
}

TEST_F(FaultsTest, NoFirstByteInTime) {
  config_.first_byte_timeout = 50ms;
  for (bool stream : {true, false}) {
    ExpectElsewhere(Ask("/slow_first_byte", stream), "no byte of an answer within 0.05 s (first_byte_timeout)");
    ExpectElsewhere(Ask("/headers_only", stream), "no byte of an answer within 0.05 s (first_byte_timeout)");
  }
  EXPECT_TRUE(server_.WaitFor([](const FaultServer::Counts& c) { return c.open == 0 && c.aborted == 4; }));
}

TEST_F(FaultsTest, SilenceInTheMiddle) {
  config_.idle_timeout = 50ms;
  Outcome outcome = Ask("/stall");
  ExpectElsewhere(outcome, "after 2 chunks: http://127.0.0.1:");
  EXPECT_NE(outcome.error->message.find("the answer stopped for 0.05 s (idle_timeout)"), std::string::npos);
  EXPECT_EQ(outcome.all.text, "w0 w1 ");
  ExpectElsewhere(Ask("/stall", false), "idle_timeout");
  EXPECT_TRUE(server_.WaitFor([](const FaultServer::Counts& c) { return c.open == 0 && c.aborted == 2; }));
}

TEST_F(FaultsTest, TheDeadlineEndsEverything) {
  for (const char* behaviour : {"/slow_first_byte", "/headers_only", "/stall", "/flood"}) {
    for (bool stream : {true, false}) {
      SCOPED_TRACE(behaviour);
      auto outcome = Ask(behaviour, stream, Clock::now() + 50ms);
      Expect(outcome, ErrorClass::kCancelled, Code::kDeadlineExceeded, "the deadline passed");
    }
  }
  EXPECT_TRUE(server_.WaitFor([](const FaultServer::Counts& c) { return c.open == 0; }));
}

TEST_F(FaultsTest, ADeadlineInThePastSendsNothing) {
  Expect(Ask("/normal", true, Clock::now() - 1s), ErrorClass::kCancelled, Code::kDeadlineExceeded, "deadline");
  EXPECT_EQ(server_.counts().connections, 0u);
}

TEST_F(FaultsTest, NobodyListens) {
  int socket = ::socket(AF_INET, SOCK_STREAM, 0);  // bound, so that nobody else gets the port, but not listening
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size), 0);
  config_.url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  for (bool stream : {true, false}) ExpectElsewhere(AskConfigured(stream), config_.url + ": could not connect");
  ::close(socket);
}

TEST_F(FaultsTest, ConnectingTakesTooLong) {
  int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(socket, 0), 0);
  ASSERT_EQ(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size), 0);
  std::vector<int> crowd;  // fills the queue of connections, so that the kernel leaves further ones without an answer
  for (int i = 0; i < 4; ++i) {
    crowd.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    ::connect(crowd.back(), reinterpret_cast<sockaddr*>(&address), size);
  }
  config_.url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  config_.connect_timeout = 100ms;
  ExpectElsewhere(AskConfigured(true), "no connection within 0.1 s (connect_timeout)");
  for (int one : crowd) ::close(one);
  ::close(socket);
}

TEST_F(FaultsTest, NoTlsThere) {
  config_.url = "https://127.0.0.1:" + std::to_string(server_.port());
  ExpectElsewhere(AskConfigured(true), "TLS failed");
}

TEST_F(FaultsTest, NoSuchHost) {
  config_.url = "http://no-such-host.invalid";
  ExpectElsewhere(AskConfigured(true), "http://no-such-host.invalid: name not resolved");
}

TEST_F(FaultsTest, KeptConnectionsThatAllDieMayBeTriedAgainHere) {
  config_.url = server_.url("/close_on_reuse");
  expert_.backend = config_;
  OpenAiBackend backend(multi_, expert_);
  std::vector<std::unique_ptr<backends::AnswerStream>> answers;  // each on a connection of its own
  for (int i = 0; i < 10; ++i) answers.push_back(backend.Open(request_, false, Deadline::max()));
  for (auto& answer : answers) ASSERT_FALSE(RunOn(loop_, ReadAll(*answer)).error);
  ASSERT_EQ(server_.counts().connections, 10u);
  auto answer = backend.Open(request_, false, Deadline::max());
  Expect(RunOn(loop_, ReadAll(*answer)), ErrorClass::kRetryHere, Code::kUnavailable, "http://127.0.0.1:");
}

}  // namespace
}  // namespace pointsman::openai
