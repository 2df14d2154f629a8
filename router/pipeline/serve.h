// router/pipeline/serve.h: the life of a request, from arrival to the last event (docs/life-of-a-request.md).
#pragma once

#include <grpcpp/support/status.h>

#include "router/pipeline/execute.h"
#include "router/pipeline/services.h"

namespace pointsman::pipeline {

// Answers `request`. Streamed when `stream` is not null (route, deltas, tool calls, usage, done are written to it),
// else whole into `response`, which streaming uses as scratch. Runs on the loop of the shard; a terminal cancellation
// unwinds it. References must outlive the call.
Awaitable<grpc::Status> Serve(const Services& services, ShardParts shard, const Arrival& arrival,
                              const v1::CompleteRequest& request, EventStream* stream, v1::CompleteResponse& response);

// The same up to the decision: no expert is asked. On the loop that owns `lane`.
Awaitable<grpc::Status> Decide(const Services& services, const Arrival& arrival, const v1::CompleteRequest& request,
                               v1::Trace& trace, classifier::EncoderLane* lane = nullptr);

}  // namespace pointsman::pipeline
