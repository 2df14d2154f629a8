// router/pipeline/services.h: what a request finds when it arrives.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "router/admission/admission.h"
#include "router/cache/memory_cache.h"
#include "router/cache/purges.h"
#include "router/cache/question_index.h"
#include "router/cache/redis_cache.h"
#include "router/classifier/encoder_lane.h"
#include "router/pipeline/flights.h"
#include "router/pipeline/mass_controllers.h"
#include "router/pipeline/snapshot.h"
#include "router/redis/client.h"
#include "router/runtime/live_call.h"
#include "router/telemetry/metrics.h"

namespace pointsman::pipeline {

// What all requests share. Everything outlives the requests; `cache`, `redis`, `masses`, `flights` and
// `purges` may be null.
struct Services {
  std::shared_ptr<const Snapshot> snapshot;
  admission::Admission* admission = nullptr;
  cache::MemoryCache* cache = nullptr;
  telemetry::Metrics* metrics = nullptr;
  MassControllers* masses = nullptr;
  const redis::Health* redis = nullptr;
  std::string cache_secret;  // of the cache's keys
  Flights* flights = nullptr;
  // By policy; null elements: only exact answers. Null: all of them.
  const std::vector<std::unique_ptr<cache::QuestionIndex>>* questions = nullptr;
  cache::Purges* purges = nullptr;  // null: nobody purges
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

}  // namespace pointsman::pipeline
