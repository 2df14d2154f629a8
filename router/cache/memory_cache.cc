#include "router/cache/memory_cache.h"

#include <algorithm>
#include <bit>
#include <list>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace pointsman::cache {
namespace {

constexpr std::size_t kMostStripes = 16;
constexpr std::size_t kKeptTenths = 8;                         // of the room, for what was asked for again
constexpr std::size_t kSmallestStripe = std::size_t{1} << 20;  // bytes: a stripe must be able to hold a long answer

struct Item {
  Key key;
  Entry entry;
  std::size_t bytes;
  Tags tags;
  bool kept;  // in which segment it is
};

// What an entry costs besides its response: a node of the list and one of the map, each with the allocator's head; the
// map's buckets (at most two an entry after it grew); the control block of the shared pointer.
constexpr std::size_t kBookkeeping =
    (sizeof(Item) + 2 * sizeof(void*) + 16) + (sizeof(Key) + 3 * sizeof(void*) + 16) + 2 * sizeof(void*) + 32;

// What the response costs. SpaceUsedLong leaves out the allocator's heads and roundings: measured, about 120 bytes an
// answer and 25 to 33 a token with its log-probability (glibc).
std::size_t BytesOf(const v1::CompleteResponse& response) {
  constexpr std::size_t kPerAnswer = 256, kPerToken = 40;
  std::size_t tokens = static_cast<std::size_t>(response.logprobs_size());
  for (const v1::TokenLogprob& token : response.logprobs()) tokens += static_cast<std::size_t>(token.top_size());
  return static_cast<std::size_t>(response.SpaceUsedLong()) + kPerAnswer + kPerToken * tokens;
}

}  // namespace

struct alignas(64) MemoryCache::Stripe {
  mutable std::mutex mutex;
  std::list<Item> tried, kept;  // most recently used first
  std::unordered_map<Key, std::list<Item>::iterator, KeyHash> index;
  std::size_t capacity = 0, bytes = 0, kept_bytes = 0;
  std::uint64_t hits = 0, misses = 0, evictions = 0;

  // Takes an item out, so that the caller can free it after the lock.
  void MoveOut(std::list<Item>::iterator item, std::list<Item>& removed) {
    bytes -= item->bytes;
    if (item->kept) kept_bytes -= item->bytes;
    index.erase(item->key);
    removed.splice(removed.begin(), SegmentOf(*item), item);
  }

  // It was asked for again. What does not fit into the segment of those is tried once more.
  void Use(std::list<Item>::iterator item) {
    kept.splice(kept.begin(), SegmentOf(*item), item);
    if (item->kept) return;
    item->kept = true;
    kept_bytes += item->bytes;
    while (kept_bytes > capacity / 10 * kKeptTenths) {
      const auto last = std::prev(kept.end());
      kept_bytes -= last->bytes;
      last->kept = false;
      tried.splice(tried.begin(), kept, last);
    }
  }

  // What goes next when there is no room.
  std::list<Item>::iterator Last() { return tried.empty() ? std::prev(kept.end()) : std::prev(tried.end()); }

  std::list<Item>& SegmentOf(const Item& item) { return item.kept ? kept : tried; }
};

MemoryCache::MemoryCache(std::size_t capacity_bytes, std::chrono::seconds ttl)
    : capacity_(capacity_bytes),
      stripe_count_(std::bit_floor(std::clamp<std::size_t>(capacity_bytes / kSmallestStripe, 1, kMostStripes))),
      ttl_(ttl),
      stripes_(std::make_unique<Stripe[]>(stripe_count_)) {
  for (std::size_t i = 0; i < stripe_count_; ++i) stripes_[i].capacity = capacity_ / stripe_count_;
}

MemoryCache::~MemoryCache() = default;

// The map inside a stripe uses the first bytes, this the last one.
MemoryCache::Stripe& MemoryCache::StripeOf(const Key& key) const { return stripes_[key.back() & (stripe_count_ - 1)]; }

std::optional<Entry> MemoryCache::Find(const Key& key, std::optional<std::chrono::seconds> max_age,
                                       Clock::time_point now, bool again, std::optional<std::chrono::seconds> ttl) {
  Stripe& stripe = StripeOf(key);
  std::list<Item> removed;  // freed after the lock
  const std::lock_guard lock(stripe.mutex);
  auto found = stripe.index.find(key);
  if (found == stripe.index.end()) {
    stripe.misses += again ? 0 : 1;
    return std::nullopt;
  }
  const auto item = found->second;
  const auto age = now - item->entry.stored;
  if (age > ttl.value_or(ttl_)) {
    stripe.MoveOut(item, removed);
    stripe.misses += again ? 0 : 1;
    return std::nullopt;
  }
  if (max_age && age > *max_age) {
    stripe.misses += again ? 0 : 1;
    return std::nullopt;
  }
  stripe.Use(item);
  ++stripe.hits;
  return item->entry;
}

void MemoryCache::Store(const Key& key, std::shared_ptr<const v1::CompleteResponse> response, Clock::time_point now,
                        Tags tags) {
  Stripe& stripe = StripeOf(key);
  const std::size_t bytes = BytesOf(*response) + kBookkeeping;
  std::list<Item> removed, added;
  if (bytes <= stripe.capacity)
    added.push_back({key, {std::move(response), now}, bytes, tags, false});  // allocates before the lock

  const std::lock_guard lock(stripe.mutex);
  // An older answer goes in any case: the newer one replaces it even when it is too large to be kept.
  if (auto found = stripe.index.find(key); found != stripe.index.end()) stripe.MoveOut(found->second, removed);
  if (added.empty()) return;
  while (stripe.bytes + bytes > stripe.capacity) {
    stripe.MoveOut(stripe.Last(), removed);
    ++stripe.evictions;
  }
  stripe.tried.splice(stripe.tried.begin(), added);
  stripe.index.emplace(key, stripe.tried.begin());
  stripe.bytes += bytes;
}

bool MemoryCache::Forget(const Key& key) {
  Stripe& stripe = StripeOf(key);
  std::list<Item> removed;
  const std::lock_guard lock(stripe.mutex);
  const auto found = stripe.index.find(key);
  if (found == stripe.index.end()) return false;
  stripe.MoveOut(found->second, removed);
  return true;
}

bool MemoryCache::ForgetSome(const Purge& purge, Progress& progress, std::atomic<std::uint64_t>& gone) {
  constexpr std::size_t kBuckets = 1024;  // of the map, of about an entry each
  if (progress.stripe == stripe_count_) return false;
  Stripe& stripe = stripes_[progress.stripe];
  std::list<Item> removed;
  std::vector<std::list<Item>::iterator> taken;
  const std::lock_guard lock(stripe.mutex);
  // The map has grown since: what has moved is looked at again.
  if (progress.buckets != stripe.index.bucket_count()) {
    progress.bucket = 0;
    progress.buckets = stripe.index.bucket_count();
  }
  const std::size_t end = std::min(progress.bucket + kBuckets, progress.buckets);
  for (; progress.bucket < end; ++progress.bucket) {
    for (auto i = stripe.index.begin(progress.bucket); i != stripe.index.end(progress.bucket); ++i) {
      if (purge.Takes(i->second->tags)) taken.push_back(i->second);
    }
  }
  for (const auto item : taken) stripe.MoveOut(item, removed);
  gone.fetch_add(taken.size(), std::memory_order_relaxed);
  if (end == progress.buckets) progress = {progress.stripe + 1, 0, 0};
  return progress.stripe < stripe_count_;
}

Stats MemoryCache::stats() const {
  Stats stats;
  for (std::size_t i = 0; i < stripe_count_; ++i) {
    const Stripe& stripe = stripes_[i];
    const std::lock_guard lock(stripe.mutex);
    stats.entries += stripe.tried.size() + stripe.kept.size();
    stats.bytes += stripe.bytes;
    stats.hits += stripe.hits;
    stats.misses += stripe.misses;
    stats.evictions += stripe.evictions;
  }
  return stats;
}

std::size_t MemoryCache::capacity() const { return capacity_; }

}  // namespace pointsman::cache
