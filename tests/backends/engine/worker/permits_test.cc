#include "backends/engine/worker/permits.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace pointsman::engine {
namespace {

TEST(Permits, CutsWishesToWhatThereIs) {
  Permits permits(2);
  EXPECT_EQ(permits.Acquire(9), 2u);
  permits.Release(2);
  EXPECT_EQ(permits.Acquire(0), 1u);
}

TEST(Permits, SharesTheCoresAmongThoseWhoWork) {
  Permits permits(4);
  EXPECT_EQ(permits.Share(), 4u);
  permits.Enter();
  EXPECT_EQ(permits.Share(), 4u);
  permits.Enter();
  EXPECT_EQ(permits.Share(), 2u);
  for (int i = 0; i < 6; ++i) permits.Enter();
  EXPECT_EQ(permits.Share(), 1u);
  for (int i = 0; i < 7; ++i) permits.Leave();
  EXPECT_EQ(permits.Share(), 4u);
}

TEST(Permits, NeverGivesOutMoreThanItHas) {
  Permits permits(3);
  std::atomic<int> out = 0, most = 0;
  std::vector<std::thread> threads;
  for (unsigned wish = 1; wish <= 4; ++wish) {
    threads.emplace_back([&, wish] {
      for (int i = 0; i < 500; ++i) {
        const unsigned got = permits.Acquire(wish);
        const int now = out += static_cast<int>(got);
        int seen = most;
        while (now > seen && !most.compare_exchange_weak(seen, now)) {
        }
        out -= static_cast<int>(got);
        permits.Release(got);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most, 3);
  EXPECT_EQ(permits.Acquire(3), 3u);  // all came back
}

TEST(Permits, ServesInTheOrderOfArrival) {
  Permits permits(2);
  ASSERT_EQ(permits.Acquire(2), 2u);
  std::vector<int> served;  // by who holds everything: no lock needed
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      const unsigned got = permits.Acquire(2);
      served.push_back(i);
      permits.Release(got);
    });
    while (permits.waiting() < static_cast<unsigned>(i) + 1) std::this_thread::yield();
  }
  permits.Release(2);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(served, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7}));
}

// A wide wish at the front is not overtaken by narrow ones for which there would be room.
TEST(Permits, NarrowWishesDoNotStarveAWideOne) {
  Permits permits(2);
  ASSERT_EQ(permits.Acquire(1), 1u);
  std::atomic<bool> wide_served = false, narrow_served = false;
  std::thread wide([&] {
    const unsigned got = permits.Acquire(2);
    wide_served = true;
    EXPECT_FALSE(narrow_served);
    permits.Release(got);
  });
  while (permits.waiting() < 1) std::this_thread::yield();
  std::thread narrow([&] {
    const unsigned got = permits.Acquire(1);
    narrow_served = true;
    EXPECT_TRUE(wide_served);
    permits.Release(got);
  });
  while (permits.waiting() < 2) std::this_thread::yield();
  EXPECT_FALSE(wide_served);
  EXPECT_FALSE(narrow_served);
  permits.Release(1);
  wide.join();
  narrow.join();
}

}  // namespace
}  // namespace pointsman::engine
