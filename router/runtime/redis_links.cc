#include "router/runtime/redis_links.h"

#include <utility>

namespace pointsman::runtime {

RedisLinks::RedisLinks(const config::Cache& cache, Shards& shards, cache::Purges& purges) : shards_(shards) {
  const config::Redis& redis = *cache.redis;
  redis::Options options;
  for (const config::RedisAddress& address : redis.addresses) options.addresses.push_back({address.host, address.port});
  options.sentinel = redis.sentinel;
  options.login = {redis.username, redis.password, redis.database};
  options.timeout = redis.timeout;
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    Shard& shard = shards_[i];
    shard.RunAndWait([&] {
      std::unique_ptr<redis::Asker> client;
      if (redis.cluster) {
        client = std::make_unique<redis::Cluster>(shard.executor(), options, health_);
      } else {
        client = std::make_unique<redis::Client>(shard.executor(), options, health_);
      }
      auto stored = std::make_unique<cache::RedisCache>(*client, redis.prefix, cache.ttl, &purges);
      shard.SetRedis(std::move(client), std::move(stored));
      if (i == 0) watch_ = std::make_unique<cache::PurgeWatch>(shard.executor(), *shard.redis_cache(), purges);
    });
  }
}

RedisLinks::~RedisLinks() {
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    Shard& shard = shards_[i];
    shard.RunAndWait([&] {
      if (i == 0) watch_.reset();
      shard.SetRedis(nullptr, nullptr);
    });
  }
}

}  // namespace pointsman::runtime
