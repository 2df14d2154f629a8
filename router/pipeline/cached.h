// router/pipeline/cached.h: one request's dealings with the cache, memory first, then Redis (docs/cache.md).
#pragma once

#include <grpcpp/support/status.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "router/cache/lease.h"
#include "router/pipeline/execute.h"
#include "router/pipeline/services.h"

namespace pointsman::pipeline {

// Loop thread of the request. References outlive it.
class Cached {
 public:
  // `redis` may be null.
  Cached(const Services& services, cache::RedisCache* redis, const std::string& tenant,
         const v1::CompleteRequest& request);
  // Of copies of the tenant and the request that outlive it.
  Cached(const Cached& other, const std::string& tenant, const v1::CompleteRequest& request);

  // Whether there is a cache, and the request's policy may use it.
  bool on() const {
    return (services_.cache != nullptr || redis_ != nullptr) && policy_ != nullptr && !policy_->cache.off;
  }
  const cache::Key& key() const { return place_.key; }
  const cache::Key& question() const { return place_.subject.question; }
  const config::Policy* policy() const { return policy_; }  // null: there is no such policy
  // As key(), of the same tenant's other request.
  cache::Key KeyOf(const v1::CompleteRequest& other) const;
  // Of those who may share an execution.
  cache::Key flight_key() const;

  // `again`: nothing was found when the request came.
  std::optional<cache::Entry> FindInMemory(Clock::time_point now, bool again = false) const;

  // Redis is asked only where an answer may be kept: others would wait for nothing.
  bool AsksRedis() const;
  Awaitable<std::optional<cache::Entry>> FindInRedis() const;
  // The answer of another question of the same tenant and policy (its key(), its question()), in either store.
  Awaitable<std::optional<cache::Entry>> FindOther(cache::Key key, cache::Key question, const char*& store) const;
  // Whether an answer may have been kept, and may be given.
  bool MayHold() const;
  // Finds it in Redis, or takes the lease of the question, which says that this process answers it; or waits until the
  // replica that has the lease has stored the answer, or has gone; `waited` is then for how long, in milliseconds.
  // Without a Redis that answers, at once: neither. For flights.
  Awaitable<std::unique_ptr<cache::Lease>> FindOrLease(std::optional<cache::Entry>& entry, double& waited) const;

  // Of an entry that another request with the same key has found.
  bool YoungEnough(const cache::Entry& entry) const { return !max_age_ || Clock::now() - entry.stored <= *max_age_; }

  // Whether the execution may be shared, by what is known before the decision.
  bool Flies() const;

  // An answer was found: counts it, and says so in the trace.
  void Found(telemetry::CacheResult result, v1::Trace& trace) const;
  // Of a request that was decided.
  telemetry::CacheResult ResultOf(const v1::Trace& trace) const;

  // Unless a purge took it while it was made.
  void Store(const v1::CompleteResponse& response) const;

 private:
  bool AnyExpert(bool (*may)(const v1::CompleteRequest&, const v1::Sampling&, bool)) const;
  const cache::Place& place() const;
  // `purges`: how many there had been when it was begun, or looked for.
  void KeepInMemory(std::shared_ptr<const v1::CompleteResponse> response, Clock::time_point stored,
                    std::uint64_t purges) const;
  bool Purged(std::uint64_t since) const;
  std::uint64_t PurgesNow() const;

  const Services& services_;
  const config::Policy* const policy_;  // null: the request names a policy that does not exist
  cache::RedisCache* const redis_;
  const std::string& tenant_;
  const v1::CompleteRequest& request_;
  mutable cache::Place place_;   // the tags once they are needed
  mutable bool tagged_ = false;  // they are there
  std::optional<std::chrono::seconds> max_age_;
  const cache::Began began_;
};

// Writes the events that end a complete answer, and takes the trace; false: the client is gone.
Awaitable<bool> WriteEnd(EventStream& stream, const v1::CompleteResponse& response, v1::Trace& trace);

// The answer of an earlier request, in the shape of a fresh one: nothing was computed, nothing is charged.
// `routed`: the client has its route event already. false: the client is gone.
Awaitable<bool> WriteCached(EventStream* stream, const cache::Entry& entry, const Arrival& arrival,
                            v1::CompleteResponse& response, v1::Trace& trace, bool routed = false);

// What a call ends with whose client is gone.
grpc::Status ClientGone();

}  // namespace pointsman::pipeline
