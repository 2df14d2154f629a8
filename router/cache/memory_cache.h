// router/cache/memory_cache.h: exact-match responses in memory, bounded in bytes.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/async.h"
#include "pointsman/v1/pointsman.pb.h"

namespace pointsman::cache {

// SHA-256 over a secret, tenant, version of all that an answer depends on, and canonical request: tenants cannot share
// an entry, and nobody without the secret can aim at another's.
using Key = std::array<std::uint8_t, 32>;

// 32 random bytes: the secret of a process that shares its cache with nobody.
std::string RandomSecret();

// What counts for the answer: messages, sampling, tools, format, logprobs, policy or pinned expert, deny, require,
// ceilings, and whether answers that are drawn at random may be given, because the policy says so (`sampled`) or the
// request is `cacheable`: nobody is served one who did not agree to it. What does not: the rest of cache control,
// session, user, tags, explain. Any thread.
Key MakeKey(std::string_view secret, std::string_view tenant, std::uint64_t version, const v1::CompleteRequest& request,
            bool sampled = false);

// A name for the tenant in keys that people can see: 16 hex digits, by which nobody without the secret knows it.
std::string TenantTag(std::string_view secret, std::string_view tenant);

// Whether the answer may be kept at all: temperature 0 or a seed (`sampling` is the effective one), or the request says
// `cacheable` or the policy `sampled`; no tools and no tool results; not `no_store`. Any thread.
bool MayStore(const v1::CompleteRequest& request, const v1::Sampling& sampling, bool sampled = false);
// Whether an answer may have been kept for an earlier request like it: as MayStore, but for `no_store`.
bool MayHold(const v1::CompleteRequest& request, const v1::Sampling& sampling, bool sampled = false);

// Keys are hashes already, and nobody outside can choose them.
struct KeyHash {
  std::size_t operator()(const Key& key) const {
    std::size_t hash;
    std::memcpy(&hash, key.data(), sizeof hash);
    return hash;
  }
};

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
  void Store(const Key& key, std::shared_ptr<const v1::CompleteResponse> response, Clock::time_point now);

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
