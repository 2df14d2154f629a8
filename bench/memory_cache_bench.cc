// bench/memory_cache_bench.cc: the exact cache: making a key, finding, storing, alone and from two threads.
#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

#include "bench/requests.h"
#include "router/cache/memory_cache.h"

namespace pointsman::bench {
namespace {

constexpr std::uint64_t kSnapshot = 0x5eed;
constexpr std::size_t kEntries = 10'000;

// Keys as requests of different sessions make them: the last message differs.
const std::vector<cache::Key>& Keys() {
  static const std::vector<cache::Key> keys = [] {
    std::vector<cache::Key> made;
    v1::CompleteRequest request = TypicalRequest();
    for (std::size_t i = 0; i < kEntries; ++i) {
      request.mutable_messages(2)->mutable_parts(0)->set_text("question number " + std::to_string(i));
      made.push_back(cache::MakeKey("a secret", "default", kSnapshot, request));
    }
    return made;
  }();
  return keys;
}

cache::MemoryCache& FullCache() {
  static cache::MemoryCache cache(std::size_t{256} << 20, std::chrono::hours(1));
  static const bool filled = [] {
    auto response = std::make_shared<const v1::CompleteResponse>(TypicalResponse());
    for (const cache::Key& key : Keys()) cache.Store(key, response, Clock::now());
    return true;
  }();
  benchmark::DoNotOptimize(filled);
  return cache;
}

void CacheMakeKey(benchmark::State& state) {
  v1::CompleteRequest request = TypicalRequest();
  for (auto _ : state) benchmark::DoNotOptimize(cache::MakeKey("a secret", "default", kSnapshot, request));
}
BENCHMARK(CacheMakeKey);

void CacheFindHit(benchmark::State& state) {
  cache::MemoryCache& cache = FullCache();
  const std::vector<cache::Key>& keys = Keys();
  std::size_t i = static_cast<std::size_t>(state.thread_index()) * 7919;
  std::int64_t hits = 0;
  for (auto _ : state) {
    hits += cache.Find(keys[i++ % kEntries], std::nullopt, Clock::now()).has_value();
  }
  if (hits != state.iterations()) state.SkipWithError("entries are missing");
}
BENCHMARK(CacheFindHit)->Threads(1)->Threads(2);

void CacheFindMiss(benchmark::State& state) {
  cache::MemoryCache& cache = FullCache();
  cache::Key key{};
  for (auto _ : state) {
    ++key[0];
    benchmark::DoNotOptimize(cache.Find(key, std::nullopt, Clock::now()));
  }
}
BENCHMARK(CacheFindMiss)->Threads(1)->Threads(2);

// Into a cache that is full: each entry pushes an older one out.
void CacheStoreAndEvict(benchmark::State& state) {
  cache::MemoryCache cache(std::size_t{1} << 20, std::chrono::hours(1));
  auto response = std::make_shared<const v1::CompleteResponse>(TypicalResponse());
  const std::vector<cache::Key>& keys = Keys();
  std::size_t i = 0;
  for (auto _ : state) cache.Store(keys[i++ % kEntries], response, Clock::now());
  if (state.iterations() > 10'000 && cache.stats().evictions == 0) state.SkipWithError("nothing was evicted");
}
BENCHMARK(CacheStoreAndEvict);

}  // namespace
}  // namespace pointsman::bench
