// router/telemetry/metrics.h: what Prometheus sees. Names and labels are documented in docs/metrics.md; label sets are
// bounded: names come from the configuration and from enumerations, never from requests. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/config.h"

namespace pointsman::telemetry {

// The label values that may occur; resolved into handles once, so that a request looks nothing up.
struct Names {
  std::vector<std::string> categories;  // of the classifier, with "general" and "none"
  std::vector<std::string> policies;
  std::vector<std::string> experts;
};

// Sampled when Prometheus asks, on its thread.
struct Gauges {
  double questions = 0;  // that the semantic caches remember
  double in_flight = 0, cache_bytes = 0, cache_entries = 0, purged_memory = 0, purged_redis = 0;
  double redis_usable = 0, redis_replies = 0, redis_errors = 0, redis_timeouts = 0, redis_unavailable = 0;
  double slots = 0, slots_busy = 0, engine_queue = 0, engine_restarts = 0, engine_up = 0;
};

enum class Rpc { kComplete, kStreamComplete, kRoute, kListExperts, kGetStatus, kPurgeCache };
enum class CacheResult { kNotCacheable, kMiss, kExact, kOff, kExactRedis, kSemantic };
// What the encoder lane did for a request that the classifier was not sure of.
enum class Escalation { kRefined, kTimeout, kFailed, kOverBudget };

// A request's part in answering all who ask the same at the same time.
enum class FlightRole { kLeader, kFollower, kAlone, kTakeover };

class Metrics {
 public:
  // `sample` is called for each scrape. It must be callable until the object dies.
  Metrics(const Names& names, std::function<Gauges()> sample);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // Serves /metrics on host:port. UNAVAILABLE-like error when it cannot listen. Returns the port.
  Result<int> Listen(const std::string& address);

  void RequestDone(Rpc rpc, int grpc_status, double seconds);
  void FirstToken(std::size_t expert, double seconds);
  void Tokens(std::size_t expert, std::uint64_t prompt, std::uint64_t cached, std::uint64_t completion);
  void Classified(double seconds);
  // `seconds` that the request waited; not counted for kOverBudget.
  void Escalated(Escalation outcome, double seconds = 0);
  // Indices into Names; `expert` is the plan's first candidate.
  void Decided(std::size_t category, std::size_t policy, std::size_t expert);
  // How many experts the policy asks at once.
  void Selected(std::size_t policy, std::size_t experts);
  // What a cascade's gate said.
  void Gated(std::size_t policy, bool kept);
  // An attempt whose answer was not wanted any more.
  void Stopped(std::size_t expert);
  // `outcome`: "ok" or an ErrorClass name.
  void Attempted(std::size_t expert, const ErrorClass* error);
  void Cache(CacheResult result);
  void Flight(FlightRole role);
  // A semantic match that was compared with a fresh answer.
  void Audited(std::size_t policy, bool same);

  std::string Render() const;  // the page's text, for tests and for the status

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pointsman::telemetry
