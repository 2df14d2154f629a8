// router/pipeline/answer.h: one execution of a request, its own or a flight's.
#pragma once

#include <optional>

#include "router/pipeline/cached.h"
#include "router/pipeline/execute.h"
#include "router/pipeline/services.h"

namespace pointsman::pipeline {

// References outlive it.
struct Task {
  const Services& services;
  const ShardParts& shard;
  const Arrival& arrival;
  Deadline deadline;
  const admission::Caller& caller;
  const v1::CompleteRequest& request;
  const Cached& cached;
  EventStream* stream;  // null: the answer is wanted whole
  bool routed;          // the client has its route event already
  Flight* flight;       // null: the execution is the request's own
  v1::CompleteResponse& response;
  v1::Trace& trace;
  std::optional<cache::Entry> like = {};  // filled: the answer to a like question, instead of a response
};

// From the question to the answer in `response`, which is kept where it may be; or to that of a like question.
Awaitable<std::optional<Failure>> Answer(Task& task);

// What a new trace says.
void Begin(const Services& services, const Arrival& arrival, const admission::Caller& caller, v1::Trace& trace);

}  // namespace pointsman::pipeline
