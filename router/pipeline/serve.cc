#include "router/pipeline/serve.h"

#include <optional>

#include "router/gateway/status.h"
#include "router/gateway/validate.h"
#include "router/pipeline/answer.h"
#include "router/pipeline/cached.h"
#include "router/pipeline/decide.h"
#include "router/pipeline/ride.h"

namespace pointsman::pipeline {

Awaitable<grpc::Status> Decide(const Services& services, const Arrival& arrival, const v1::CompleteRequest& request,
                               v1::Trace& trace, classifier::EncoderLane* lane) {
  Result<admission::Caller> caller = admission::Authenticate(*services.snapshot->config, arrival.authorization);
  if (!caller) co_return gateway::ToStatus(caller.error(), arrival.request_id);
  if (auto violations = gateway::Validate(request); !violations.empty()) co_return gateway::BadRequest(violations);
  trace.set_request_id(arrival.request_id);
  trace.set_tenant(caller->tenant);
  trace.set_snapshot(services.snapshot->version_text);
  Result<Question> question = Understand(services, request, trace);
  if (!question) co_return gateway::ToStatus(question.error(), arrival.request_id);
  if (const std::optional<double> confidence = Escalates(services, lane, *question)) {
    co_await AskEncoder(services, *lane, arrival.deadline, *confidence, request, *question->evidence, trace);
  }
  Result<Decision> decision = MakeDecision(services, caller->mask, *question, request, trace);
  if (!decision) co_return gateway::ToStatus(decision.error(), arrival.request_id);
  trace.set_milliseconds(Milliseconds(Clock::now() - arrival.time));
  co_return grpc::Status::OK;
}

Awaitable<grpc::Status> Serve(const Services& services, ShardParts shard, const Arrival& arrival,
                              const v1::CompleteRequest& request, EventStream* stream, v1::CompleteResponse& response) {
  auto refuse = [&](const Error& error) { return gateway::ToStatus(error, arrival.request_id); };

  // Who calls, is there room, is the request well-formed?
  Result<admission::Caller> caller = admission::Authenticate(*services.snapshot->config, arrival.authorization);
  if (!caller) co_return refuse(caller.error());
  Result<admission::Ticket> ticket = services.admission->Admit();
  if (!ticket) co_return refuse(ticket.error());
  if (auto violations = gateway::Validate(request); !violations.empty()) co_return gateway::BadRequest(violations);
  if (Clock::now() >= arrival.deadline) co_return refuse(DeadlineExceeded("the deadline had passed on arrival"));

  v1::Trace trace;
  Begin(services, arrival, *caller, trace);
  response.set_id(arrival.request_id);

  // Was it answered before?
  Cached cached(services, shard.redis, caller->tenant, request);
  telemetry::CacheResult found = telemetry::CacheResult::kExact;
  std::optional<cache::Entry> entry = cached.FindInMemory(arrival.time);

  // Is it being answered, or may others wait for this answer?
  bool routed = false;
  if (!entry && services.flights != nullptr && shard.calls != nullptr && cached.Flies()) {
    Ride ride{.services = services,
              .shard = shard,
              .arrival = arrival,
              .caller = *caller,
              .request = request,
              .cached = cached,
              .stream = stream,
              .response = response,
              .partial = {}};
    std::optional<grpc::Status> ended = co_await TakeFlight(ride);
    if (ended) co_return *std::move(ended);
    services.metrics->Flight(telemetry::FlightRole::kAlone);
    routed = ride.routed;
  }

  if (!entry && cached.AsksRedis()) {
    found = telemetry::CacheResult::kExactRedis;
    entry = co_await cached.FindInRedis();
  }
  if (entry) {
    cached.Found(found, trace);
    bool written = co_await WriteCached(stream, *entry, arrival, response, trace, routed);
    if (!written) co_return ClientGone();
    co_return grpc::Status::OK;
  }

  // By itself.
  Task task{.services = services,
            .shard = shard,
            .arrival = arrival,
            .deadline = arrival.deadline,
            .caller = *caller,
            .request = request,
            .cached = cached,
            .stream = stream,
            .routed = routed,
            .flight = nullptr,
            .response = response,
            .trace = trace};
  std::optional<Failure> failure = co_await Answer(task);
  if (failure) {
    co_return gateway::ToStatus(failure->error, arrival.request_id, failure->attempts,
                                failure->partial ? &*failure->partial : nullptr);
  }
  if (stream == nullptr) {
    *response.mutable_trace() = std::move(trace);
    co_return grpc::Status::OK;
  }
  bool written = co_await WriteEnd(*stream, response, trace);
  if (!written) co_return ClientGone();
  co_return grpc::Status::OK;
}

}  // namespace pointsman::pipeline
