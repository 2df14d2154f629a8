// router/pipeline/serve.h: the life of a request, from arrival to the last event (docs/life-of-a-request.md).
#pragma once

#include <grpcpp/support/status.h>

#include <memory>
#include <span>
#include <string>

#include "backends/backend.h"
#include "router/admission/admission.h"
#include "router/cache/memory_cache.h"
#include "router/classifier/encoder_lane.h"
#include "router/pipeline/execute.h"
#include "router/pipeline/mass_controllers.h"
#include "router/pipeline/snapshot.h"
#include "router/telemetry/metrics.h"

namespace pointsman::pipeline {

// What all requests share. Everything outlives the requests; `cache` and `masses` may be null.
struct Services {
  std::shared_ptr<const Snapshot> snapshot;
  admission::Admission* admission = nullptr;
  cache::MemoryCache* cache = nullptr;
  telemetry::Metrics* metrics = nullptr;
  MassControllers* masses = nullptr;
};

// What is known of a request when it arrives.
struct Arrival {
  std::string request_id;
  std::string authorization;  // metadata value; "" = none
  Clock::time_point time;
  Deadline deadline;  // the client's, cut to the configured limit
};

// Answers `request`. Streamed when `stream` is not null (route, deltas, tool calls, usage, done are written to it),
// else whole into `response`, which streaming uses as scratch. Runs on the loop that owns `backends` and `lane` (null:
// none); a terminal cancellation unwinds it. References must outlive the call.
Awaitable<grpc::Status> Serve(const Services& services, std::span<const std::unique_ptr<backends::Backend>> backends,
                              const Arrival& arrival, const v1::CompleteRequest& request, EventStream* stream,
                              v1::CompleteResponse& response, classifier::EncoderLane* lane = nullptr);

// The same up to the decision: no expert is asked. On the loop that owns `lane`.
Awaitable<grpc::Status> Decide(const Services& services, const Arrival& arrival, const v1::CompleteRequest& request,
                               v1::Trace& trace, classifier::EncoderLane* lane = nullptr);

}  // namespace pointsman::pipeline
