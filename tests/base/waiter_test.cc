#include "base/waiter.h"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <optional>
#include <string>

namespace pointsman {
namespace {

struct Fixture : testing::Test {
  Loop loop{1};
  Waiter<std::string> waiter{loop.get_executor()};
  asio::cancellation_signal signal;
  std::optional<std::string> got;
  bool thrown = false, ended = false;

  Awaitable<void> Body() { got = co_await waiter.Wait(); }

  Awaitable<void> StartBody(int& starts) {
    auto start = [&starts] { ++starts; };
    got = co_await waiter.StartAndWait(start);
  }

  void Spawn(Awaitable<void> body) {
    auto done = [this](std::exception_ptr error) {
      ended = true;
      thrown = error != nullptr;
    };
    asio::co_spawn(loop, std::move(body), asio::bind_cancellation_slot(signal.slot(), done));
  }
};

using WaiterTest = Fixture;

TEST_F(WaiterTest, ResumesWithTheValue) {
  Spawn(Body());
  loop.poll();
  ASSERT_TRUE(waiter.waiting());
  waiter.Resume("here");
  EXPECT_EQ(got, "here");
  EXPECT_FALSE(waiter.waiting());
}

TEST_F(WaiterTest, CanBeUsedAgain) {
  for (int i = 0; i < 100; ++i) {
    got.reset();
    loop.restart();
    Spawn(Body());
    loop.poll();
    waiter.Resume(std::to_string(i));
    loop.poll();
    EXPECT_EQ(got, std::to_string(i));
  }
}

TEST_F(WaiterTest, CancellationEndsTheWait) {
  Spawn(Body());
  loop.poll();
  signal.emit(asio::cancellation_type::terminal);
  loop.poll();
  EXPECT_TRUE(ended);
  EXPECT_TRUE(thrown);
  EXPECT_FALSE(waiter.waiting());
  EXPECT_FALSE(got);
}

TEST_F(WaiterTest, StartAndWaitIsDeafToCancellation) {
  int starts = 0;
  Spawn(StartBody(starts));
  loop.poll();
  EXPECT_EQ(starts, 1);
  signal.emit(asio::cancellation_type::terminal);
  loop.poll();
  EXPECT_FALSE(ended);
  waiter.Resume("done");
  loop.poll();
  EXPECT_TRUE(ended);
  EXPECT_EQ(got, "done");
}

TEST_F(WaiterTest, StartIsNotCalledInACancelledCoroutine) {
  int starts = 0;
  auto body = [](Fixture& f, int& count) -> Awaitable<void> {
    co_await f.Body();  // the cancellation comes while it waits here
    co_await f.StartBody(count);
  };
  auto task = body(*this, starts);
  Spawn(std::move(task));
  loop.poll();
  signal.emit(asio::cancellation_type::terminal);
  loop.poll();
  EXPECT_TRUE(ended);
  EXPECT_EQ(starts, 0);
}

}  // namespace
}  // namespace pointsman
