// router/cache/lease.h: which of the replicas that share a Redis answers a question, while the others wait for it.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "router/cache/redis_cache.h"

namespace pointsman::cache {

// A key PREFIX:l:{KEY} with a token that nobody else has, set where there was none (SET NX PX), prolonged while the
// lease is held, and deleted only by who set it: the lock of Redis's documentation ("Distributed Locks with Redis", the
// single instance). It spares work and guards nothing: two that hold it at once, after a failover, both answer. Loop
// thread only.
class Lease {
 public:
  static constexpr std::chrono::milliseconds kTime{10'000};  // after it, one whose holder died is free
  static constexpr std::size_t kOwnerBytes = 32;             // the beginning of a token: who takes leases with it

  // `cache` outlives the lease. Of one that was taken; see Find.
  Lease(RedisCache& cache, Executor executor, std::string name, std::string token);
  ~Lease();  // gives it back
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  // What Redis knows of a question. Neither an entry nor a lease, nor somebody else's: it cannot say.
  struct Found {
    std::optional<Entry> entry;
    std::unique_ptr<Lease> lease;  // it is ours from now on
    bool elsewhere = false;        // another replica has it
  };
  // Looks for the answer, and where there is none takes the lease, if it is free, in one round trip. An entry that is
  // older than `max_age` counts as none, but no lease is taken then. `token` is the caller's own
  // (Flights::NewToken). A lease of the same owner is left over, for an owner asks once at a time: it is taken over. So
  // it is when Redis refused to delete it, as a server does that was a replica for a while.
  static Awaitable<Found> Find(RedisCache& cache, Place place, std::optional<std::chrono::seconds> max_age,
                               std::string token);

 private:
  struct Renewal;

  RedisCache& cache_;
  const std::string name_, token_;
  std::shared_ptr<Renewal> renewal_;
};

}  // namespace pointsman::cache
