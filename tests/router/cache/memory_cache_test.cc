#include "router/cache/memory_cache.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <random>
#include <thread>
#include <vector>

namespace pointsman::cache {
namespace {

using std::chrono::seconds;

constexpr Clock::time_point kStart{};

Key KeyOf(std::uint64_t number) {
  v1::CompleteRequest request;
  request.set_tool_choice(std::to_string(number));
  return MakeKey("a secret", "tenant", 1, request);
}

std::shared_ptr<const v1::CompleteResponse> ResponseOf(std::string text) {
  auto response = std::make_shared<v1::CompleteResponse>();
  response->mutable_message()->add_parts()->set_text(std::move(text));
  return response;
}

const std::string& TextOf(const Entry& entry) { return entry.response->message().parts(0).text(); }

TEST(MemoryCache, GivesBackWhatWasStored) {
  MemoryCache cache(4 << 20, seconds(60));
  EXPECT_FALSE(cache.Find(KeyOf(1), {}, kStart));
  cache.Store(KeyOf(1), ResponseOf("one"), kStart);
  cache.Store(KeyOf(2), ResponseOf("two"), kStart + seconds(1));
  auto found = cache.Find(KeyOf(2), {}, kStart + seconds(2));
  ASSERT_TRUE(found);
  EXPECT_EQ(TextOf(*found), "two");
  EXPECT_EQ(found->stored, kStart + seconds(1));
  const Stats stats = cache.stats();
  EXPECT_EQ(stats.entries, 2u);
  EXPECT_EQ(stats.hits, 1u);
  EXPECT_EQ(stats.misses, 1u);
}

TEST(MemoryCache, ReplacesAnOlderAnswer) {
  MemoryCache cache(1 << 20, seconds(60));
  cache.Store(KeyOf(1), ResponseOf(std::string(1000, 'a')), kStart);
  const auto bytes = cache.stats().bytes;
  cache.Store(KeyOf(1), ResponseOf(std::string(1000, 'b')), kStart + seconds(50));
  EXPECT_EQ(cache.stats().bytes, bytes);
  EXPECT_EQ(cache.stats().entries, 1u);
  auto found = cache.Find(KeyOf(1), {}, kStart + seconds(100));
  ASSERT_TRUE(found);
  EXPECT_EQ(TextOf(*found)[0], 'b');
}

TEST(MemoryCache, DropsWhatOutlivedItsTime) {
  MemoryCache cache(1 << 20, seconds(60));
  cache.Store(KeyOf(1), ResponseOf("one"), kStart);
  EXPECT_TRUE(cache.Find(KeyOf(1), {}, kStart + seconds(60)));
  EXPECT_FALSE(cache.Find(KeyOf(1), {}, kStart + seconds(61)));
  EXPECT_EQ(cache.stats().entries, 0u);
  EXPECT_EQ(cache.stats().bytes, 0u);
}

TEST(MemoryCache, KeepsWhatIsOnlyTooOldForThisRequest) {
  MemoryCache cache(1 << 20, seconds(60));
  cache.Store(KeyOf(1), ResponseOf("one"), kStart);
  EXPECT_FALSE(cache.Find(KeyOf(1), seconds(10), kStart + seconds(11)));
  EXPECT_TRUE(cache.Find(KeyOf(1), seconds(10), kStart + seconds(10)));
  EXPECT_TRUE(cache.Find(KeyOf(1), {}, kStart + seconds(11)));
  EXPECT_FALSE(cache.Find(KeyOf(1), seconds(1000), kStart + seconds(61))) << "the time to live is the lower bound";
}

TEST(MemoryCache, APolicyMayHaveATimeOfItsOwn) {
  MemoryCache cache(1 << 20, seconds(60));
  cache.Store(KeyOf(1), ResponseOf("one"), kStart);
  EXPECT_TRUE(cache.Find(KeyOf(1), {}, kStart + seconds(100), false, seconds(100)));
  EXPECT_TRUE(cache.Find(KeyOf(1), {}, kStart + seconds(10), false, seconds(10)));
  EXPECT_FALSE(cache.Find(KeyOf(1), {}, kStart + seconds(11), false, seconds(10)));
  EXPECT_EQ(cache.stats().entries, 0u);
}

TEST(MemoryCache, DoesNotKeepWhatIsLargerThanAStripe) {
  MemoryCache cache(1 << 20, seconds(60));
  cache.Store(KeyOf(1), ResponseOf("small"), kStart);
  cache.Store(KeyOf(2), ResponseOf(std::string(1 << 20, 'x')), kStart);
  EXPECT_FALSE(cache.Find(KeyOf(2), {}, kStart));
  EXPECT_TRUE(cache.Find(KeyOf(1), {}, kStart)) << "nothing had to go for it";
  cache.Store(KeyOf(1), ResponseOf(std::string(1 << 20, 'x')), kStart);
  EXPECT_FALSE(cache.Find(KeyOf(1), {}, kStart)) << "an older answer must not stay in place of a newer one";
}

TEST(MemoryCache, LetsTheLeastRecentlyUsedGoFirst) {
  MemoryCache cache(1 << 20, seconds(60));  // one stripe
  const std::string text(250'000, 'x');     // four fit
  for (int i = 0; i < 4; ++i) cache.Store(KeyOf(i), ResponseOf(text), kStart);
  ASSERT_EQ(cache.stats().entries, 4u);
  EXPECT_TRUE(cache.Find(KeyOf(0), {}, kStart));  // 1 is the oldest now
  cache.Store(KeyOf(4), ResponseOf(text), kStart);
  cache.Store(KeyOf(5), ResponseOf(text), kStart);
  EXPECT_TRUE(cache.Find(KeyOf(0), {}, kStart));
  EXPECT_FALSE(cache.Find(KeyOf(1), {}, kStart));
  EXPECT_FALSE(cache.Find(KeyOf(2), {}, kStart));
  EXPECT_TRUE(cache.Find(KeyOf(3), {}, kStart));
  EXPECT_EQ(cache.stats().evictions, 2u);
}

TEST(MemoryCache, AFloodDoesNotWashOutWhatIsAskedForAgain) {
  MemoryCache cache(1 << 20, seconds(60));
  for (std::uint64_t k = 0; k < 50; ++k) {
    cache.Store(KeyOf(k), ResponseOf(std::string(5000, 'x')), kStart);
    EXPECT_TRUE(cache.Find(KeyOf(k), {}, kStart));
  }
  for (std::uint64_t k = 1000; k < 2000; ++k) cache.Store(KeyOf(k), ResponseOf(std::string(5000, 'x')), kStart);
  EXPECT_GT(cache.stats().evictions, 800u);
  for (std::uint64_t k = 0; k < 50; ++k) EXPECT_TRUE(cache.Find(KeyOf(k), {}, kStart)) << k;
  // Not for ever: when all the room is asked for again, the least recently used of these go.
  for (std::uint64_t k = 3000; k < 4000; ++k) {
    cache.Store(KeyOf(k), ResponseOf(std::string(5000, 'x')), kStart);
    EXPECT_TRUE(cache.Find(KeyOf(k), {}, kStart));
  }
  for (std::uint64_t k = 0; k < 50; ++k) EXPECT_FALSE(cache.Find(KeyOf(k), {}, kStart)) << k;
  EXPECT_LE(cache.stats().bytes, 1u << 20);
}

TEST(MemoryCache, StaysWithinItsBytesWhateverIsStored) {
  std::mt19937_64 random(1);
  for (const std::size_t capacity : {std::size_t{300'000}, std::size_t{3} << 20, std::size_t{20} << 20}) {
    MemoryCache cache(capacity, seconds(1000));
    std::vector<Key> keys;
    for (int i = 0; i < 1000; ++i) keys.push_back(KeyOf(i));
    std::uint64_t most = 0;
    for (int i = 0; i < 100'000; ++i) {
      Key key = keys[random() % keys.size()];
      key[8] = static_cast<std::uint8_t>(random());  // 256,000 different ones
      const std::size_t size = std::size_t{1} << (random() % 15);
      cache.Store(key, ResponseOf(std::string(size, 'x')), kStart + seconds(i / 100));
      if (i % 100 == 0) {
        const Stats stats = cache.stats();
        most = std::max(most, stats.bytes);
        ASSERT_LE(stats.bytes, capacity);
        ASSERT_GE(stats.bytes, stats.entries * (sizeof(Key) + sizeof(v1::CompleteResponse)));
      }
    }
    EXPECT_GT(most, capacity / 2) << "the memory is used";
    EXPECT_GT(cache.stats().evictions, 0u);
  }
}

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// What is counted is what the process pays: the heap grows by no more than the capacity.
TEST(MemoryCache, CountsWhatItCosts) {
  auto heap = [] {
    const struct mallinfo2 info = mallinfo2();
    return static_cast<double>(info.uordblks + info.hblkhd);
  };
  for (const auto& [text, tokens] : {std::pair<std::size_t, int>{20, 0}, {500, 0}, {5000, 0}, {40, 10}, {1200, 300}}) {
    const double before = heap();
    constexpr std::size_t kCapacity = std::size_t{16} << 20;
    MemoryCache cache(kCapacity, seconds(60));
    for (std::uint64_t i = 0; cache.stats().evictions < 100; ++i) {
      auto response = std::make_shared<v1::CompleteResponse>();
      response->mutable_message()->add_parts()->set_text(std::string(text, 'x'));
      response->set_id("a-request-id-of-usual-length-0123456789");
      response->set_expert("general");
      response->mutable_usage()->set_prompt_tokens(3);
      for (int t = 0; t < tokens; ++t) {
        v1::TokenLogprob& token = *response->add_logprobs();
        token.set_token("word");
        for (int k = 0; k < 5; ++k) token.add_top()->set_token("word");
      }
      cache.Store(KeyOf(i), std::move(response), kStart);
    }
    const double grown = heap() - before;
    EXPECT_LE(grown, 1.03 * kCapacity) << text << " bytes, " << tokens << " tokens";
    EXPECT_GE(grown, 0.6 * kCapacity) << text << " bytes, " << tokens << " tokens";
  }
}
#endif

TEST(MemoryCache, ForgetsByTagsWhileOthersStore) {
  MemoryCache cache(64 << 20, seconds(60));
  for (std::uint64_t i = 0; i < 3'000; ++i) cache.Store(KeyOf(i), ResponseOf("text"), kStart, {i % 3, i % 2});
  std::atomic<std::uint64_t> gone{0};
  MemoryCache::Progress progress;
  std::uint64_t next = 3'000;
  int calls = 1;
  while (cache.ForgetSome({.tenant = 1, .policy = 0}, progress, gone)) {
    ++calls;
    // The maps grow under it.
    for (int i = 0; i < 300; ++i) cache.Store(KeyOf(next++), ResponseOf("text"), kStart, {2, 0});
    ASSERT_LT(calls, 10'000);
  }
  EXPECT_EQ(gone, 500u);
  EXPECT_FALSE(cache.ForgetSome({}, progress, gone)) << "it has come to the end";
  for (std::uint64_t i = 0; i < 3'000; ++i) {
    EXPECT_EQ(cache.Find(KeyOf(i), {}, kStart).has_value(), i % 3 != 1 || i % 2 != 0) << i;
  }
  EXPECT_EQ(cache.stats().entries, next - 500);
  EXPECT_EQ(cache.stats().evictions, 0u) << "purged is not evicted";
}

TEST(MemoryCache, GivesTheBytesOfForgottenAnswersBack) {
  MemoryCache cache(1 << 20, seconds(60));
  cache.Store(KeyOf(1), ResponseOf("one"), kStart);
  const std::uint64_t bytes = cache.stats().bytes;
  cache.Store(KeyOf(2), ResponseOf("two"), kStart);
  EXPECT_TRUE(cache.Find(KeyOf(2), {}, kStart));  // among those that were asked for again
  EXPECT_TRUE(cache.Forget(KeyOf(2)));
  EXPECT_FALSE(cache.Forget(KeyOf(2)));
  EXPECT_EQ(cache.stats().bytes, bytes);
  EXPECT_EQ(cache.stats().entries, 1u);
}

TEST(MemoryCache, ThreadsMayHammerIt) {
  MemoryCache cache(2 << 20, seconds(60));
  std::vector<Key> keys;
  for (int i = 0; i < 200; ++i) keys.push_back(KeyOf(i));
  std::vector<std::string> texts;
  for (int i = 0; i < 200; ++i) texts.push_back(std::string(20'000, static_cast<char>('a' + i % 26)));
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0, found = 0;
  constexpr int kRounds = 5'000;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(static_cast<unsigned>(t));
      for (int i = 0; i < kRounds; ++i) {
        const std::size_t which = random() % keys.size();
        if (random() % 500 == 0) {
          std::atomic<std::uint64_t> gone{0};
          MemoryCache::Progress progress;
          while (cache.ForgetSome({.tenant = 0}, progress, gone)) continue;
        } else if (random() % 3 == 0) {
          cache.Store(keys[which], ResponseOf(texts[which]), kStart + seconds(random() % 100));
        } else if (auto entry = cache.Find(keys[which], {}, kStart + seconds(random() % 100))) {
          ++found;
          if (TextOf(*entry) != texts[which]) ++wrong;
        }
        if (i % 500 == 0 && cache.stats().bytes > cache.capacity()) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(found, 0);
  EXPECT_LE(cache.stats().bytes, cache.capacity());
}

}  // namespace
}  // namespace pointsman::cache
