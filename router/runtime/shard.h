// router/runtime/shard.h: one event loop, one thread, and what belongs to them. A request lives and dies on one shard;
// what shards share is immutable or a counter.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "backends/backend.h"
#include "router/cache/redis_cache.h"
#include "router/classifier/encoder_lane.h"
#include "router/redis/asker.h"
#include "router/runtime/live_call.h"

namespace pointsman::runtime {

class Shard {
 public:
  Shard();
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  // Any thread.
  Loop& loop() { return loop_; }
  Executor executor() { return loop_.get_executor(); }

  // Loop thread only. `owner` is kept alive with the backends (what they share: a curl multi handle).
  void SetBackends(std::vector<std::unique_ptr<backends::Backend>> backends, std::shared_ptr<void> owner);
  std::span<const std::unique_ptr<backends::Backend>> backends() const { return backends_; }
  // Null: none.
  void SetEncoderLane(std::unique_ptr<classifier::EncoderLane> lane) { encoder_lane_ = std::move(lane); }
  classifier::EncoderLane* encoder_lane() { return encoder_lane_.get(); }
  // Null: none.
  void SetRedis(std::unique_ptr<redis::Asker> client, std::unique_ptr<cache::RedisCache> stored);
  cache::RedisCache* redis_cache() { return redis_cache_.get(); }
  LiveCalls& calls() { return calls_; }

  void Start(unsigned index);

  // Ends the calls that are left, waits for their coroutines, stops the loop and joins the thread. Not from the loop.
  void Stop();

  // Runs `f` on the loop and waits for it. Not from the loop.
  void RunAndWait(const std::function<void()>& f);

 private:
  Loop loop_{1};
  std::optional<boost::asio::executor_work_guard<Executor>> work_;
  LiveCalls calls_{loop_};
  std::shared_ptr<void> owner_;
  std::vector<std::unique_ptr<backends::Backend>> backends_;  // destroyed before their owner
  std::unique_ptr<classifier::EncoderLane> encoder_lane_;
  std::unique_ptr<redis::Asker> redis_;
  std::unique_ptr<cache::RedisCache> redis_cache_;  // destroyed before its client
  std::thread thread_;
};

// The shards of a server. Next() spreads requests evenly; any thread.
class Shards {
 public:
  explicit Shards(unsigned count);  // >= 1
  ~Shards() { Stop(); }

  std::size_t size() const { return shards_.size(); }
  Shard& operator[](std::size_t i) { return *shards_[i]; }
  Shard& Next() { return *shards_[next_.fetch_add(1, std::memory_order_relaxed) % shards_.size()]; }

  void Start();
  void EndAllCalls(Ending why);
  // Ends the calls that are left, and waits until the coroutines of all of them have unwound.
  void Drain();
  void Stop();

 private:
  std::vector<std::unique_ptr<Shard>> shards_;
  std::atomic<std::size_t> next_{0};
};

}  // namespace pointsman::runtime
