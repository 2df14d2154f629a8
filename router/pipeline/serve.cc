#include "router/pipeline/serve.h"

#include <optional>

#include "router/gateway/status.h"
#include "router/gateway/validate.h"
#include "router/pipeline/answer.h"
#include "router/pipeline/cached.h"
#include "router/pipeline/decide.h"
#include "router/pipeline/like_questions.h"
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

namespace {

// Who has been let in; until its end it counts as a request in flight.
struct Guest {
  admission::Caller caller;
  admission::Ticket ticket;
};

// Who calls, is there room, is the request well-formed? What is not OK is the answer.
grpc::Status Admit(const Services& services, const Arrival& arrival, const v1::CompleteRequest& request, Guest& guest) {
  auto refuse = [&](const Error& error) { return gateway::ToStatus(error, arrival.request_id); };
  Result<admission::Caller> caller = admission::Authenticate(*services.snapshot->config, arrival.authorization);
  if (!caller) return refuse(caller.error());
  guest.caller = *std::move(caller);
  Result<admission::Ticket> ticket = services.admission->Admit();
  if (!ticket) return refuse(ticket.error());
  guest.ticket = *std::move(ticket);
  if (auto violations = gateway::Validate(request); !violations.empty()) return gateway::BadRequest(violations);
  if (Clock::now() >= arrival.deadline) return refuse(DeadlineExceeded("the deadline had passed on arrival"));
  return grpc::Status::OK;
}

// A request that memory has no answer for. References outlive it.
struct Unanswered {
  const Services& services;
  const ShardParts& shard;
  const Arrival& arrival;
  const admission::Caller& caller;
  const v1::CompleteRequest& request;
  const Cached& cached;
  EventStream* stream;
  v1::CompleteResponse& response;
  v1::Trace& trace;
};

// A coroutine of its own: hits in memory do without its large frame.
Awaitable<grpc::Status> ServeUnanswered(const Unanswered& r) {
  // Is it being answered, or may others wait for this answer?
  bool routed = false;
  if (r.services.flights != nullptr && r.shard.calls != nullptr && r.cached.Flies()) {
    Ride ride{.services = r.services,
              .shard = r.shard,
              .arrival = r.arrival,
              .caller = r.caller,
              .request = r.request,
              .cached = r.cached,
              .stream = r.stream,
              .response = r.response,
              .partial = {}};
    std::optional<grpc::Status> ended = co_await TakeFlight(ride);
    if (ended) co_return *std::move(ended);
    r.services.metrics->Flight(telemetry::FlightRole::kAlone);
    routed = ride.routed;
  }

  // Was it answered by another process?
  if (r.cached.AsksRedis()) {
    const std::optional<cache::Entry> entry = co_await r.cached.FindInRedis();
    if (entry) {
      LikeQuestions(r.services, r.cached, r.request).Add();
      r.cached.Found(telemetry::CacheResult::kExactRedis, r.trace);
      bool written = co_await WriteCached(r.stream, *entry, r.arrival, r.response, r.trace, routed);
      if (!written) co_return ClientGone();
      co_return grpc::Status::OK;
    }
  }

  // By itself.
  Task task{.services = r.services,
            .shard = r.shard,
            .arrival = r.arrival,
            .deadline = r.arrival.deadline,
            .caller = r.caller,
            .request = r.request,
            .cached = r.cached,
            .stream = r.stream,
            .routed = routed,
            .flight = nullptr,
            .response = r.response,
            .trace = r.trace};
  std::optional<Failure> failure = co_await Answer(task);
  if (failure) {
    co_return gateway::ToStatus(failure->error, r.arrival.request_id, failure->attempts,
                                failure->partial ? &*failure->partial : nullptr);
  }
  if (task.like) {
    r.cached.Found(telemetry::CacheResult::kSemantic, r.trace);
    const bool written = co_await WriteCached(r.stream, *task.like, r.arrival, r.response, r.trace, routed);
    if (!written) co_return ClientGone();
    co_return grpc::Status::OK;
  }
  if (r.stream == nullptr) {
    *r.response.mutable_trace() = std::move(r.trace);
    co_return grpc::Status::OK;
  }
  bool written = co_await WriteEnd(*r.stream, r.response, r.trace);
  if (!written) co_return ClientGone();
  co_return grpc::Status::OK;
}

}  // namespace

Awaitable<grpc::Status> Serve(const Services& services, ShardParts shard, const Arrival& arrival,
                              const v1::CompleteRequest& request, EventStream* stream, v1::CompleteResponse& response) {
  Guest guest;
  grpc::Status status = Admit(services, arrival, request, guest);
  if (!status.ok()) co_return status;

  v1::Trace trace;
  Begin(services, arrival, guest.caller, trace);
  response.set_id(arrival.request_id);

  // Was it answered before?
  Cached cached(services, shard.redis, guest.caller.tenant, request);
  if (const std::optional<cache::Entry> entry = cached.FindInMemory(arrival.time)) {
    cached.Found(telemetry::CacheResult::kExact, trace);
    const bool written = co_await WriteCached(stream, *entry, arrival, response, trace, false);
    if (!written) status = ClientGone();
    co_return status;
  }
  Unanswered unanswered{services, shard, arrival, guest.caller, request, cached, stream, response, trace};
  co_return co_await ServeUnanswered(unanswered);
}

}  // namespace pointsman::pipeline
