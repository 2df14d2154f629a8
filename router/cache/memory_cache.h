// router/cache/memory_cache.h: exact-match responses in memory, bounded in bytes.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/async.h"
#include "pointsman/v1/pointsman.pb.h"
#include "router/cache/key.h"
#include "router/cache/purge.h"

namespace pointsman::cache {

struct Entry {
  std::shared_ptr<const v1::CompleteResponse> response;  // without its trace
  Clock::time_point stored;
};

struct Stats {
  std::uint64_t entries = 0, bytes = 0, hits = 0, misses = 0, evictions = 0;
};

// Segmented least recently used (Karedla, Love and Wherry 1994): what was asked for again is kept apart, in up to 8
// tenths of the room, from what came once, which goes first; a flood of new questions cannot wash out the popular ones.
// Any thread: lock-striped, so that no lock is global or held while anything waits.
class MemoryCache {
 public:
  // `capacity_bytes` > 0 bounds keys, values and bookkeeping together; an entry above a stripe's share is not kept.
  MemoryCache(std::size_t capacity_bytes, std::chrono::seconds ttl);
  ~MemoryCache();

  // Entries older than `max_age` (or the ttl, if that is less) do not count; expired ones are dropped. A miss is not
  // counted where the same request looks `again`. `ttl`: instead of the cache's.
  std::optional<Entry> Find(const Key& key, std::optional<std::chrono::seconds> max_age, Clock::time_point now,
                            bool again = false, std::optional<std::chrono::seconds> ttl = {});
  void Store(const Key& key, std::shared_ptr<const v1::CompleteResponse> response, Clock::time_point now,
             Tags tags = {});

  bool Forget(const Key& key);  // whether it was there
  // How far a purge has come; one for each.
  struct Progress {
    std::size_t stripe = 0, bucket = 0, buckets = 0;
  };
  // Forgets what `purge` takes by tenant and policy, of a thousand entries or so; no lock is held for longer. Adds to
  // `gone`, under the lock. false: that was all. What is stored meanwhile may stay or go.
  bool ForgetSome(const Purge& purge, Progress& progress, std::atomic<std::uint64_t>& gone);

  Stats stats() const;
  std::size_t capacity() const;

 private:
  struct Stripe;
  Stripe& StripeOf(const Key& key) const;

  std::size_t capacity_;
  std::size_t stripe_count_;  // a power of two
  std::chrono::seconds ttl_;
  std::unique_ptr<Stripe[]> stripes_;
};

}  // namespace pointsman::cache
