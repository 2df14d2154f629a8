// router/cache/redis_cache.h: exact-match responses in a Redis that replicas share.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/async.h"
#include "router/cache/memory_cache.h"
#include "router/cache/purges.h"
#include "router/redis/asker.h"

namespace pointsman::cache {

// Where an answer lies, and how long it may be given again.
struct Place {
  Key key{};
  Subject subject;
  std::optional<std::chrono::seconds> ttl = {};  // instead of the cache's
};

// One shard's. An entry's name is PREFIX:a:TENANT:POLICY:{KEY}, with the tags and the key in hex; the braces tell a
// Redis Cluster to place it by the key. Redis forgets it after the ttl. Loop thread only.
class RedisCache {
 public:
  // `client` outlives the cache, and `purges`, which may be null.
  RedisCache(redis::Asker& client, std::string prefix, std::chrono::seconds ttl, const Purges* purges = nullptr)
      : client_(client), prefix_(std::move(prefix)), ttl_(ttl), purges_(purges) {}

  // As MemoryCache::Find; without an answer within the client's time limit, or without a Redis, nothing is found.
  Awaitable<std::optional<Entry>> Find(const Place& place, std::optional<std::chrono::seconds> max_age);

  // Sends the entry off; nobody waits for Redis. An answer that is too large (stored_answer.h) is left out. `began`:
  // how far the log of purges was known when its execution began.
  void Store(const Place& place, const v1::CompleteResponse& response, Position began = 0);

  const redis::Asker& client() const { return client_; }
  redis::Asker& client() { return client_; }

  const std::string& prefix() const { return prefix_; }

  // The parts of Find, for those who look in another way: the names, and a value as an entry; nothing when it is too
  // old, purged, or not one of ours.
  std::string AnswerName(const Place& place) const;
  std::string LeaseName(const Key& key) const;
  std::optional<Entry> Read(std::string_view value, const Place& place,
                            std::optional<std::chrono::seconds> max_age) const;

 private:
  redis::Asker& client_;
  const std::string prefix_;
  const std::chrono::seconds ttl_;
  const Purges* const purges_;
};

}  // namespace pointsman::cache
