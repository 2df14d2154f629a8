// router/pipeline/serve.h: the life of a request, from arrival to the last event (docs/life-of-a-request.md).
#pragma once

#include <grpcpp/support/status.h>

#include <memory>
#include <span>
#include <string>

#include "backends/backend.h"
#include "router/admission/admission.h"
#include "router/cache/memory_cache.h"
#include "router/cache/redis_cache.h"
#include "router/classifier/encoder_lane.h"
#include "router/pipeline/execute.h"
#include "router/pipeline/flights.h"
#include "router/pipeline/mass_controllers.h"
#include "router/pipeline/snapshot.h"
#include "router/redis/client.h"
#include "router/runtime/live_call.h"
#include "router/telemetry/metrics.h"

namespace pointsman::pipeline {

// What all requests share. Everything outlives the requests; `cache`, `redis`, `masses` and `flights` may be
// null.
struct Services {
  std::shared_ptr<const Snapshot> snapshot;
  admission::Admission* admission = nullptr;
  cache::MemoryCache* cache = nullptr;
  telemetry::Metrics* metrics = nullptr;
  MassControllers* masses = nullptr;
  const redis::Health* redis = nullptr;
  std::string cache_secret;  // of the cache's keys
  Flights* flights = nullptr;
};

// What a shard has for its requests; all of it belongs to its loop.
struct ShardParts {
  std::span<const std::unique_ptr<backends::Backend>> backends;  // by the index of the expert
  classifier::EncoderLane* lane = nullptr;                       // null: none
  cache::RedisCache* redis = nullptr;                            // likewise
  runtime::LiveCalls* calls = nullptr;                           // null: nothing may outlive its request's call
};

// What is known of a request when it arrives.
struct Arrival {
  std::string request_id;
  std::string authorization;  // metadata value; "" = none
  Clock::time_point time;
  Deadline deadline;  // the client's, cut to the configured limit
};

// Answers `request`. Streamed when `stream` is not null (route, deltas, tool calls, usage, done are written to it),
// else whole into `response`, which streaming uses as scratch. Runs on the loop of the shard; a terminal cancellation
// unwinds it. References must outlive the call.
Awaitable<grpc::Status> Serve(const Services& services, ShardParts shard, const Arrival& arrival,
                              const v1::CompleteRequest& request, EventStream* stream, v1::CompleteResponse& response);

// The same up to the decision: no expert is asked. On the loop that owns `lane`.
Awaitable<grpc::Status> Decide(const Services& services, const Arrival& arrival, const v1::CompleteRequest& request,
                               v1::Trace& trace, classifier::EncoderLane* lane = nullptr);

}  // namespace pointsman::pipeline
