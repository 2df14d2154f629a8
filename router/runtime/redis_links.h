// router/runtime/redis_links.h: every shard's own connection to Redis, and what is kept there.
#pragma once

#include <memory>

#include "config/config.h"
#include "router/cache/purge_watch.h"
#include "router/redis/client.h"
#include "router/redis/cluster.h"
#include "router/runtime/shard.h"

namespace pointsman::runtime {

// Made and destroyed by one thread, not a loop's; the shards run before and after. Begins to look for the server at
// once; nobody waits for it.
class RedisLinks {
 public:
  // `cache.redis` is set. `purges` outlives it.
  RedisLinks(const config::Cache& cache, Shards& shards, cache::Purges& purges);
  ~RedisLinks();
  RedisLinks(const RedisLinks&) = delete;
  RedisLinks& operator=(const RedisLinks&) = delete;

  const redis::Health& health() const { return health_; }

 private:
  Shards& shards_;
  redis::Health health_;
  std::unique_ptr<cache::PurgeWatch> watch_;  // on the first shard
};

}  // namespace pointsman::runtime
