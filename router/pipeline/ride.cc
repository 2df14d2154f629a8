#include "router/pipeline/ride.h"

#include <algorithm>

#include "router/cache/lease.h"
#include "router/gateway/status.h"
#include "router/pipeline/answer.h"
#include "router/pipeline/like_questions.h"

namespace pointsman::pipeline {
namespace {

// What a flight takes along, for the client that began it may go.
struct Cargo {
  Cargo(const Services& s, ShardParts parts, Arrival a, admission::Caller c, const v1::CompleteRequest& r,
        const Cached& other, std::shared_ptr<Flight> f)
      : services(s),
        shard(parts),
        arrival(std::move(a)),
        caller(std::move(c)),
        request(r),
        cached(other, caller.tenant, request),
        flight(std::move(f)) {}
  Cargo(const Cargo&) = delete;
  Cargo& operator=(const Cargo&) = delete;

  const Services& services;
  const ShardParts shard;
  const Arrival arrival;
  const admission::Caller caller;
  const v1::CompleteRequest request;
  const Cached cached;
  const std::shared_ptr<Flight> flight;
};

// The execution of a flight. The memory is looked at again: the flight before this one may have ended since. The lease
// is given back after the answer was sent to Redis, on the same connection: who waits finds one or the other.
Awaitable<void> Fly(std::shared_ptr<const Cargo> cargo) {
  std::unique_ptr<cache::Lease> lease;
  Landing landing;
  landing.response.set_id(cargo->arrival.request_id);
  Begin(cargo->services, cargo->arrival, cargo->caller, landing.trace);
  landing.found = telemetry::CacheResult::kExact;
  landing.entry = cargo->cached.FindInMemory(Clock::now(), true);
  if (!landing.entry && cargo->cached.AsksRedis()) {
    landing.found = telemetry::CacheResult::kExactRedis;
    double waited = 0;
    lease = co_await cargo->cached.FindOrLease(landing.entry, waited);
    landing.trace.mutable_flight()->set_wait_milliseconds(waited);
    if (landing.entry) LikeQuestions(cargo->services, cargo->cached, cargo->request).Add();
  }
  if (!landing.entry) {
    Task task{.services = cargo->services,
              .shard = cargo->shard,
              .arrival = cargo->arrival,
              .deadline = cargo->flight->deadline(),
              .caller = cargo->caller,
              .request = cargo->request,
              .cached = cargo->cached,
              .stream = cargo->flight.get(),
              .routed = false,
              .flight = cargo->flight.get(),
              .response = landing.response,
              .trace = landing.trace};
    landing.failure = co_await Answer(task);
    if (task.like) {
      landing.found = telemetry::CacheResult::kSemantic;
      landing.entry = std::move(task.like);
    }
  }
  cargo->flight->Land(std::move(landing));
}

const char* Name(telemetry::FlightRole role) {
  switch (role) {
    case telemetry::FlightRole::kLeader: return "leader";
    case telemetry::FlightRole::kFollower: return "follower";
    case telemetry::FlightRole::kTakeover: return "takeover";
    case telemetry::FlightRole::kAlone: return "alone";
  }
  return "?";
}

void BeginFlight(const Ride& ride, const std::shared_ptr<Flight>& flight) {
  auto cargo = std::make_shared<const Cargo>(ride.services, ride.shard, ride.arrival, ride.caller, ride.request,
                                             ride.cached, flight);
  flight->Begin(*ride.shard.calls, Fly(std::move(cargo)));
}

// The flight's trace as the rider's own.
v1::Trace TraceOf(const Ride& ride, const Flight& flight, const v1::Trace& flown) {
  v1::Trace trace = flown;
  trace.set_request_id(ride.arrival.request_id);
  if (trace.cache() == v1::CACHE_OUTCOME_NOT_CACHEABLE) return trace;  // nobody shared it
  trace.mutable_flight()->set_role(Name(ride.role));
  trace.mutable_flight()->set_leader_request_id(flight.request_id());
  return trace;
}

// Writes what came of a flight; false: the client is gone.
Awaitable<bool> Relay(Ride& ride, const Flight& flight, const News& news) {
  if (news.decision && !ride.counted) {
    ride.services.metrics->Cache(ride.cached.ResultOf(*news.decision));
    ride.counted = true;
  }
  if (news.decision && !ride.routed) {
    ride.routed = true;
    v1::CompleteEvent route;
    *route.mutable_route() = TraceOf(ride, flight, *news.decision);
    const bool written = co_await ride.stream->Write(route);
    if (!written) co_return false;
  }
  if (news.content == nullptr) co_return true;
  if (ride.first_content <= 0) ride.first_content = Milliseconds(Clock::now() - ride.arrival.time);
  const std::string& text = news.content->delta().text();
  ride.partial.set_deltas(ride.partial.deltas() + 1);
  ride.partial.set_text_bytes(ride.partial.text_bytes() + static_cast<std::uint32_t>(text.size()));
  co_return co_await ride.stream->Write(*news.content);
}

grpc::Status StatusOf(Ride& ride, const Failure& failure) {
  const v1::PartialAnswer* partial = nullptr;
  if (ride.first_content > 0) {
    if (failure.partial) ride.partial.set_expert(failure.partial->expert());
    partial = &ride.partial;
  }
  return gateway::ToStatus(failure.error, ride.arrival.request_id, failure.attempts, partial);
}

// The end of a flight as the rider's own.
Awaitable<grpc::Status> Arrive(Ride& ride, const Flight& flight, const Landing& landing) {
  if (landing.failure) co_return StatusOf(ride, *landing.failure);
  v1::Trace trace = TraceOf(ride, flight, landing.trace);
  bool written = true;
  if (landing.entry) {
    ride.cached.Found(landing.found, trace);
    written = co_await WriteCached(ride.stream, *landing.entry, ride.arrival, ride.response, trace, ride.routed);
    if (!written) co_return ClientGone();
    co_return grpc::Status::OK;
  }
  if (!ride.counted) ride.services.metrics->Cache(ride.cached.ResultOf(landing.trace));
  v1::CompleteResponse& response = ride.response;
  if (ride.stream == nullptr) {
    response = landing.response;
  } else {
    *response.mutable_usage() = landing.response.usage();
    response.set_finish_reason(landing.response.finish_reason());
    response.set_expert(landing.response.expert());
  }
  response.set_id(ride.arrival.request_id);
  if (ride.role == telemetry::FlightRole::kFollower) {  // nothing was computed for it, nothing is charged
    response.mutable_usage()->set_cached_tokens(response.usage().prompt_tokens());
    response.mutable_usage()->set_cost_usd(0);
  }
  const double spent = Milliseconds(Clock::now() - ride.arrival.time);
  // A whole answer has its first token with its last; the execution says when it was for who began it.
  const bool own = flight.request_id() == ride.arrival.request_id && trace.first_token_milliseconds() > 0;
  if (ride.first_content > 0) {
    trace.set_first_token_milliseconds(ride.first_content);
  } else if (!own) {
    trace.set_first_token_milliseconds(spent);
  }
  trace.set_milliseconds(spent);
  if (ride.stream == nullptr) {
    *response.mutable_trace() = std::move(trace);
    co_return grpc::Status::OK;
  }
  written = co_await WriteEnd(*ride.stream, response, trace);
  if (!written) co_return ClientGone();
  co_return grpc::Status::OK;
}

// Whether those who have seen nothing of a flight that failed shall try again.
bool WorthAnother(const Landing& landing) {
  return landing.failure && !landing.final && landing.failure->error.error_class != ErrorClass::kCallersFault;
}

}  // namespace

Awaitable<std::optional<grpc::Status>> TakeFlight(Ride& ride) {
  const Executor executor = (co_await asio::this_coro::executor);
  const auto longest = ride.arrival.time + ride.services.snapshot->config->limits.max_deadline;
  const Deadline deadline = std::max<Deadline>(ride.arrival.deadline, longest);
  for (bool again = false;; again = true) {
    Seat seat(*ride.services.flights, ride.cached.flight_key(), executor, ride.stream != nullptr, deadline,
              ride.arrival.request_id);
    if (seat.flight() == nullptr) co_return std::nullopt;
    ride.role = !seat.first() ? telemetry::FlightRole::kFollower
                : again       ? telemetry::FlightRole::kTakeover
                              : telemetry::FlightRole::kLeader;
    ride.services.metrics->Flight(ride.role);
    if (seat.first()) BeginFlight(ride, seat.flight());
    News news;
    while (news.landing == nullptr) {
      news = co_await seat.Next();
      if (news.dissolved) co_return std::nullopt;
      const bool written = co_await Relay(ride, *seat.flight(), news);
      if (!written) co_return ClientGone();
    }
    if (!seat.first() && !again && ride.first_content <= 0 && WorthAnother(*news.landing)) continue;
    if (news.landing->entry && !ride.cached.YoungEnough(*news.landing->entry)) co_return std::nullopt;
    co_return co_await Arrive(ride, *seat.flight(), *news.landing);
  }
}

}  // namespace pointsman::pipeline
