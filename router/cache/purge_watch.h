// router/cache/purge_watch.h: hears of the purges of other replicas.
#pragma once

#include <chrono>
#include <memory>

#include "router/cache/purge_log.h"

namespace pointsman::cache {

// Reads the log about once a second, and forgets in memory what it says. While Redis cannot be asked it looks every 50
// ms whether it can, and then catches up. One for each process; loop thread only.
class PurgeWatch {
 public:
  static constexpr std::chrono::milliseconds kInterval{1000}, kLook{50};

  // `redis` and `purges` outlive it.
  PurgeWatch(Executor executor, RedisCache& redis, Purges& purges);
  ~PurgeWatch();  // from within the loop's run
  PurgeWatch(const PurgeWatch&) = delete;
  PurgeWatch& operator=(const PurgeWatch&) = delete;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace pointsman::cache
