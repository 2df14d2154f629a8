// Cancelling reaches the upstream: its connections close, and nothing of the request is left here.
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <deque>

#include "tests/backends/openai/backend_fixture.h"

namespace pointsman::openai {
namespace {

constexpr int kStreams = 200;

class CancelTest : public OpenAiBackendTest {
 protected:
  // Reads until there is nothing more; counts what was begun and what is over.
  Awaitable<void> Read(OpenAiBackend& backend, bool stream) {
    struct Leaving {
      int& count;
      ~Leaving() { ++count; }
    } leaving{over_};
    auto answer = backend.Open(request_, stream, Deadline::max());
    for (;;) {
      Result<Chunk> next = co_await answer->Next();
      if (!next) {
        ADD_FAILURE() << next.error().message;
        co_return;
      }
      ++begun_;
    }
  }

  void Spawn(OpenAiBackend& backend, bool stream) {
    for (int i = 0; i < kStreams; ++i) {
      auto body = Read(backend, stream);
      auto token = asio::bind_cancellation_slot(signals_.emplace_back().slot(), asio::detached);
      asio::co_spawn(loop_, std::move(body), token);
    }
  }

  void CancelAll() {
    for (auto& signal : signals_) signal.emit(asio::cancellation_type::terminal);
    while (over_ < kStreams) loop_.run_one();
    EXPECT_EQ(multi_.active(), 0u);
    EXPECT_TRUE(server_.WaitFor([](const FaultServer::Counts& c) { return c.open == 0; }));
  }

  std::deque<asio::cancellation_signal> signals_;
  int begun_ = 0, over_ = 0;
};

TEST_F(CancelTest, InTheMiddleOfAStream) {
  config_.url = server_.url("/stall;chunks=1");
  expert_.backend = config_;
  OpenAiBackend backend(multi_, expert_);
  Spawn(backend, true);
  while (begun_ < kStreams) loop_.run_one();
  EXPECT_EQ(server_.counts().open, 200u);
  CancelAll();
  EXPECT_EQ(server_.counts().aborted, 200u);
}

TEST_F(CancelTest, BeforeTheFirstByte) {
  config_.url = server_.url("/slow_first_byte");
  expert_.backend = config_;
  OpenAiBackend backend(multi_, expert_);
  Spawn(backend, false);
  while (server_.counts().requests < kStreams) loop_.poll();
  CancelAll();
  EXPECT_EQ(server_.counts().aborted, 200u);
}

TEST_F(CancelTest, BeforeAnythingHappened) {
  config_.url = server_.url("/normal");
  expert_.backend = config_;
  OpenAiBackend backend(multi_, expert_);
  Spawn(backend, true);
  while (multi_.active() < kStreams) loop_.poll_one();
  CancelAll();
}

TEST_F(CancelTest, ByDestroyingAStreamThatNobodyAwaits) {
  config_.url = server_.url("/stall;chunks=1");
  expert_.backend = config_;
  OpenAiBackend backend(multi_, expert_);
  auto answer = backend.Open(request_, true, Deadline::max());
  auto first = RunOn(loop_, answer->Next());
  ASSERT_TRUE(first.ok());
  answer.reset();
  EXPECT_EQ(multi_.active(), 0u);
  EXPECT_TRUE(server_.WaitFor([](const FaultServer::Counts& c) { return c.open == 0 && c.aborted == 1; }));
}

TEST_F(CancelTest, AStreamMayBeBegunAnewAfterwards) {
  config_.url = server_.url("/normal");
  expert_.backend = config_;
  OpenAiBackend backend(multi_, expert_);
  for (int i = 0; i < 50; ++i) {
    backend.Open(request_, true, Deadline::max()).reset();  // gone before the loop ran
    auto answer = backend.Open(request_, true, Deadline::max());
    Outcome outcome = RunOn(loop_, ReadAll(*answer));
    ASSERT_FALSE(outcome.error) << outcome.error->message;
    EXPECT_EQ(outcome.all.text, "w0 w1 w2 w3 w4 ");
  }
}

// Shut-down: the multi goes first, the loop destroys the coroutines later.
TEST_F(CancelTest, TheMultiMayGoWhileStreamsAreAwaited) {
  config_.url = server_.url("/stall;chunks=1");
  expert_.backend = config_;
  {
    Loop loop(1);
    http::Multi multi(loop);
    OpenAiBackend backend(multi, expert_);
    for (int i = 0; i < kStreams; ++i) {
      auto body = Read(backend, true);
      asio::co_spawn(loop, std::move(body), asio::detached);
    }
    while (begun_ < kStreams) loop.run_one();
  }
  EXPECT_EQ(over_, kStreams);
  EXPECT_TRUE(server_.WaitFor([](const FaultServer::Counts& c) { return c.open == 0; }));
}

}  // namespace
}  // namespace pointsman::openai
