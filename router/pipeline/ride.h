// router/pipeline/ride.h: a request on a flight (docs/cache-flights.md).
#pragma once

#include <grpcpp/support/status.h>

#include <optional>

#include "router/pipeline/cached.h"
#include "router/pipeline/execute.h"
#include "router/pipeline/services.h"

namespace pointsman::pipeline {

// A request on its way to an answer that others may wait for as well.
struct Ride {
  const Services& services;
  const ShardParts& shard;
  const Arrival& arrival;
  const admission::Caller& caller;
  const v1::CompleteRequest& request;
  const Cached& cached;
  EventStream* stream;
  v1::CompleteResponse& response;

  telemetry::FlightRole role = telemetry::FlightRole::kLeader;
  bool routed = false;   // the route event was written
  bool counted = false;  // as a look-up of the cache
  v1::PartialAnswer partial;
  double first_content = 0;  // milliseconds from the arrival, once there was some
};

// The answer of a flight, another's or one that this request begins. Who joined one that failed goes on the next one,
// once: the first to come begins it, so that one request at a time asks. nullopt: the request must go on by itself.
Awaitable<std::optional<grpc::Status>> TakeFlight(Ride& ride);

}  // namespace pointsman::pipeline
