#include "router/pipeline/serve.h"

#include <algorithm>
#include <boost/asio/basic_waitable_timer.hpp>
#include <cstdio>
#include <optional>

#include "policies/choose.h"
#include "policies/gate/cascade_gate.h"
#include "router/cache/lease.h"
#include "router/gateway/status.h"
#include "router/gateway/validate.h"
#include "router/pipeline/facts.h"
#include "router/pipeline/gate_scores.h"
#include "router/pipeline/trace.h"

namespace pointsman::pipeline {
namespace {

// The policy that decides: the one the request names, or the default.
Result<const config::Policy*> PolicyOf(const config::Config& config, const v1::Routing& routing) {
  const std::string& name = routing.policy().empty() ? config.default_policy : routing.policy();
  if (const config::Policy* policy = config.FindPolicy(name)) return policy;
  std::string known;
  for (const config::Policy& policy : config.policies) known += (known.empty() ? "" : ", ") + policy.name;
  return InvalidArgument("routing.policy", "unknown policy '" + name + "'; known: " + known);
}

std::size_t IndexOf(const config::Config& config, const config::Policy& policy) {
  return static_cast<std::size_t>(&policy - config.policies.data());
}

double Microseconds(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

// Classifies the request, and says so in the trace.
policies::Evidence Classify(const Services& services, const v1::CompleteRequest& request, v1::Trace& trace) {
  const Snapshot& snapshot = *services.snapshot;
  const ConversationTexts texts(request);
  const config::Classifier& settings = snapshot.config->classifier;
  const classifier::PartWeights weights = {settings.system, settings.history};
  Clock::time_point start = Clock::now();
  policies::Evidence evidence = classifier::Classify(*snapshot.classifier, texts.conversation(), weights);
  const double spent = Microseconds(start);
  services.metrics->Classified(spent / 1e6);
  Describe(snapshot, evidence, texts.conversation().last, request.routing().explain(), spent,
           *trace.mutable_evidence());
  return evidence;
}

// Predicts each expert's quality, and says so in the trace.
void Predict(const Services& services, const config::Policy& policy, const v1::CompleteRequest& request,
             policies::Evidence& evidence, v1::Trace& trace) {
  const Snapshot& snapshot = *services.snapshot;
  std::string storage;
  std::string_view question = QuestionOf(request, storage);
  Clock::time_point start = Clock::now();
  pipeline::Predict(snapshot.files.predictors[IndexOf(*snapshot.config, policy)], question, evidence);
  const bool pair = std::get<config::Predicted>(policy.score).pair.has_value();
  Describe(*snapshot.config, evidence, pair, Microseconds(start), *trace.mutable_prediction());
}

// Asks the experts' own gates, and says so in the trace.
void ReadGates(const Services& services, const config::Policy& policy, const v1::CompleteRequest& request,
               policies::Evidence& evidence, v1::Trace& trace) {
  const Snapshot& snapshot = *services.snapshot;
  const PolicyGates& gates = snapshot.files.gates[IndexOf(*snapshot.config, policy)];
  Clock::time_point start = Clock::now();
  ScoreByGates(gates, std::get<config::Gates>(policy.score).carry, request, snapshot.config->experts.size(), evidence);
  Describe(*snapshot.config, evidence, Microseconds(start), *trace.mutable_gates());
}

// Who decides, and by what evidence.
struct Question {
  const config::Policy* policy;
  std::optional<policies::Evidence> evidence;
};

Result<Question> Understand(const Services& services, const v1::CompleteRequest& request, v1::Trace& trace) {
  const Snapshot& snapshot = *services.snapshot;
  Result<const config::Policy*> policy = PolicyOf(*snapshot.config, request.routing());
  if (!policy) return std::move(policy).error();
  trace.set_policy((*policy)->name);
  Question question{*policy, std::nullopt};
  if (!request.routing().expert().empty()) return question;
  if (policies::NeedsEvidence(**policy) && snapshot.classifier) question.evidence = Classify(services, request, trace);
  const bool prediction = policies::NeedsPrediction(**policy) && !snapshot.files.predictors.empty();
  const bool gates = policies::NeedsGates(**policy) && !snapshot.files.gates.empty();
  if ((prediction || gates) && !question.evidence) question.evidence.emplace();
  if (prediction) Predict(services, **policy, request, *question.evidence, trace);
  if (gates) ReadGates(services, **policy, request, *question.evidence, trace);
  return question;
}

// Whether the encoder lane shall be asked too: where there is one, and the classifier is not sure.
bool Escalates(const Services& services, classifier::EncoderLane* lane, const Question& question) {
  if (lane == nullptr || !question.evidence || question.evidence->categories.empty()) return false;
  classifier::EncoderLane::Choice choice = lane->Consider(lane->ConfidenceIn(*question.evidence));
  if (choice == classifier::EncoderLane::Choice::kOverBudget) {
    services.metrics->Escalated(telemetry::Escalation::kOverBudget);
  }
  return choice == classifier::EncoderLane::Choice::kEscalate;
}

// Refines the evidence by a second opinion, and says so in the trace.
Awaitable<void> AskEncoder(const Services& services, classifier::EncoderLane& lane, Deadline deadline,
                           const v1::CompleteRequest& request, policies::Evidence& evidence, v1::Trace& trace) {
  std::string storage;
  std::string_view question = QuestionOf(request, storage);
  v1::SecondOpinion described;
  described.set_confidence(lane.ConfidenceIn(evidence));
  described.set_threshold(lane.threshold());
  described.set_fast_likeliest(evidence.categories[evidence.likeliest]);
  described.set_fast_probability(evidence.probabilities[evidence.likeliest]);
  classifier::SecondOpinion opinion = co_await lane.Refine(evidence, question, deadline);
  const std::chrono::duration<double> spent = opinion.spent;
  services.metrics->Escalated(opinion.used        ? telemetry::Escalation::kRefined
                              : opinion.timed_out ? telemetry::Escalation::kTimeout
                                                  : telemetry::Escalation::kFailed,
                              spent.count());
  described.set_used(opinion.used);
  described.set_failure(opinion.failure);
  described.set_milliseconds(spent.count() * 1e3);
  described.set_truncated(opinion.truncated);
  if (opinion.used) {
    evidence = std::move(opinion.evidence);
    const double classified = trace.evidence().classify_microseconds();
    trace.clear_evidence();
    Describe(*services.snapshot, evidence, question, request.routing().explain(), classified,
             *trace.mutable_evidence());
  }
  *trace.mutable_evidence()->mutable_second_opinion() = std::move(described);
}

struct Decision {
  const config::Policy* policy;
  policies::Choice choice;
  std::vector<std::string> copied;  // what copy experts say, by expert; empty without any
  double random;
};

// Finds what copy experts would say; those that have nothing near enough cannot answer.
void FindCopies(const Snapshot& snapshot, const v1::CompleteRequest& request, policies::RequestFacts& facts,
                std::vector<std::string>& copied) {
  const std::vector<config::Expert>& experts = snapshot.config->experts;
  std::string storage;
  const std::string_view question = QuestionOf(request, storage);
  facts.cannot.resize(experts.size());
  copied.resize(experts.size());
  for (std::size_t e = 0; e < experts.size(); ++e) {
    if (snapshot.files.answers[e] == nullptr) continue;
    const classifier::StoredAnswers::Nearest nearest = snapshot.files.answers[e]->Find(question);
    if (nearest.similarity >= static_cast<float>(experts[e].zero_cost()->similarity)) {
      copied[e] = nearest.answer;
      continue;
    }
    char text[96];
    std::snprintf(text, sizeof text, "no stored question is near enough: the nearest has a similarity of %.2f of %.2f",
                  nearest.similarity, experts[e].zero_cost()->similarity);
    facts.cannot[e] = text;
  }
}

// From an understood request to a plan. The same for Complete, StreamComplete and Route.
Result<Decision> MakeDecision(const Services& services, const config::Mask* tenant, const Question& question,
                              const v1::CompleteRequest& request, v1::Trace& trace) {
  const Snapshot& snapshot = *services.snapshot;
  const config::Config& config = *snapshot.config;
  const std::size_t policy = IndexOf(config, *question.policy);
  Decision decision{question.policy, {}, {}, gate::DrawOf(trace.request_id())};
  policies::RequestFacts facts = FactsOf(request);
  facts.tenant = tenant;
  facts.random = decision.random;
  if (services.masses != nullptr) facts.mass = services.masses->Mass(policy);
  if (snapshot.copies) FindCopies(snapshot, request, facts, decision.copied);
  const policies::Evidence* evidence = question.evidence ? &*question.evidence : nullptr;
  Result<policies::Choice> choice = policies::Choose(config, *question.policy, facts, evidence);
  if (!choice) return std::move(choice).error();
  std::span<const StageGate> gates;
  if (policy < snapshot.files.cascades.size()) gates = snapshot.files.cascades[policy];
  Describe(config, *question.policy, gates, *choice, trace);
  decision.choice = *std::move(choice);
  return decision;
}

void CountDecision(const Services& services, const Decision& decision) {
  const Snapshot& snapshot = *services.snapshot;
  const std::size_t policy = IndexOf(*snapshot.config, *decision.policy);
  const policies::Choice& choice = decision.choice;
  services.metrics->Decided(snapshot.CategoryIndex(choice.category), policy, policies::First(choice.plan).expert);
  if (!choice.selected) return;
  services.metrics->Selected(policy, choice.models);
  if (services.masses != nullptr) services.masses->Observe(policy, choice.models);
}

// Whether an answer to this request, by whichever experts the plan may ask, may be kept and found again. A reply that
// costs nothing needs no cache.
bool Cacheable(const config::Config& config, const config::Policy& policy, const policies::Plan& plan,
               const v1::CompleteRequest& request) {
  const auto may_store = [&](std::size_t expert) {
    return !config.experts[expert].zero_cost() &&
           cache::MayStore(request, backends::EffectiveSampling(request.sampling(), config.experts[expert].sampling));
  };
  if (const auto* ensemble = std::get_if<policies::Ensemble>(&plan)) {
    return std::all_of(ensemble->members.begin(), ensemble->members.end(),
                       [&](const policies::Member& member) { return may_store(member.candidate.expert); });
  }
  if (const auto* cascade = std::get_if<policies::Cascade>(&plan)) {
    for (const std::size_t stage : cascade->stages) {
      if (!may_store(policy.cascade[stage].expert)) return false;
    }
  }
  return may_store(policies::First(plan).expert);
}

bool Complete(v1::FinishReason reason) { return reason == v1::FINISH_REASON_STOP; }

// Writes the events that end a complete answer.
Awaitable<bool> WriteEnd(EventStream& stream, const v1::CompleteResponse& response, const v1::Trace& trace) {
  v1::CompleteEvent usage;
  *usage.mutable_usage() = response.usage();
  if (!co_await stream.Write(usage)) co_return false;
  v1::CompleteEvent done;
  done.mutable_done()->set_finish_reason(response.finish_reason());
  done.mutable_done()->set_expert(response.expert());
  *done.mutable_done()->mutable_trace() = trace;
  co_return co_await stream.Write(done);
}

// The answer of an earlier request, in the shape of a fresh one: nothing was computed, nothing is charged.
// `routed`: the client has its route event already.
Awaitable<bool> WriteCached(EventStream* stream, const cache::Entry& entry, const Arrival& arrival,
                            v1::CompleteResponse& response, v1::Trace& trace, bool routed = false) {
  response = *entry.response;
  response.set_id(arrival.request_id);
  response.mutable_usage()->set_cached_tokens(response.usage().prompt_tokens());
  response.mutable_usage()->set_cost_usd(0);
  trace.set_expert(response.expert());
  trace.set_cached_request_id(entry.response->id());
  trace.set_cache_age_seconds(std::chrono::duration<double>(arrival.time - entry.stored).count());
  trace.set_first_token_milliseconds(Milliseconds(Clock::now() - arrival.time));
  trace.set_milliseconds(trace.first_token_milliseconds());
  if (stream == nullptr) {
    *response.mutable_trace() = std::move(trace);
    co_return true;
  }
  if (!routed) {
    v1::CompleteEvent route;
    *route.mutable_route() = trace;
    if (!co_await stream->Write(route)) co_return false;
  }
  v1::CompleteEvent delta;
  for (v1::Part& part : *response.mutable_message()->mutable_parts()) {
    delta.mutable_delta()->set_text(std::move(*part.mutable_text()));
    delta.mutable_delta()->mutable_logprobs()->Swap(response.mutable_logprobs());
    if (!co_await stream->Write(delta)) co_return false;
  }
  co_return co_await WriteEnd(*stream, response, trace);
}

// One request's dealings with the cache: memory first, then Redis.
class Cached {
 public:
  Cached(const Services& services, cache::RedisCache* redis, const std::string& tenant,
         const v1::CompleteRequest& request)
      : services_(services), redis_(redis), tenant_(tenant), request_(request) {
    if (on()) key_ = cache::MakeKey(services.cache_secret, tenant, services.snapshot->answers, request);
    const v1::CacheControl& control = request.routing().cache();
    if (control.has_max_age_seconds()) max_age_ = std::chrono::seconds(control.max_age_seconds());
  }

  // Of a copy of the request that outlives it.
  Cached(const Cached& other, const std::string& tenant, const v1::CompleteRequest& request)
      : services_(other.services_),
        redis_(other.redis_),
        tenant_(tenant),
        request_(request),
        key_(other.key_),
        max_age_(other.max_age_) {}

  bool on() const { return services_.cache != nullptr || redis_ != nullptr; }

  const cache::Key& key() const { return key_; }

  // `again`: nothing was found when the request came.
  std::optional<cache::Entry> FindInMemory(Clock::time_point now, bool again = false) const {
    if (services_.cache == nullptr || request_.routing().cache().no_cache()) return std::nullopt;
    return services_.cache->Find(key_, max_age_, now, again);
  }

  // Redis is asked only where an answer may be kept: others would wait for nothing.
  bool AsksRedis() const {
    if (redis_ == nullptr || request_.routing().cache().no_cache() || !redis_->client().usable()) return false;
    return AnyExpert(cache::MayHold);
  }

  Awaitable<std::optional<cache::Entry>> FindInRedis() const {
    const std::string tag = cache::TenantTag(services_.cache_secret, tenant_);
    std::optional<cache::Entry> entry = co_await redis_->Find(key_, tag, max_age_);
    if (entry && services_.cache != nullptr) services_.cache->Store(key_, entry->response, entry->stored);
    co_return entry;
  }

  // Finds it in Redis, or takes the lease of the question, which says that this process answers it; or waits until the
  // replica that has the lease has stored the answer, or has gone; `waited` is then for how long, in milliseconds.
  // Without a Redis that answers, at once: neither.
  Awaitable<std::unique_ptr<cache::Lease>> FindOrLease(const std::string& request_id,
                                                       std::optional<cache::Entry>& entry, double& waited) const {
    constexpr std::chrono::milliseconds kShortest{10}, kLongest{100};
    const Executor executor = (co_await asio::this_coro::executor);
    const std::string tag = cache::TenantTag(services_.cache_secret, tenant_);
    const std::string token = request_id + "/" + cache::RandomSecret();
    asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor> timer(executor);
    const Clock::time_point start = Clock::now();
    for (auto pause = kShortest;; pause = std::min(kLongest, pause * 3 / 2)) {
      cache::Lease::Found found = co_await cache::Lease::Find(*redis_, key_, tag, max_age_, token);
      if (found.entry) {
        entry = std::move(found.entry);
        if (services_.cache != nullptr) services_.cache->Store(key_, entry->response, entry->stored);
      }
      if (!found.elsewhere) co_return std::move(found.lease);
      timer.expires_after(pause);
      co_await timer.async_wait(kAwait);
      waited = Milliseconds(Clock::now() - start);
    }
  }

  // Of an entry that another request with the same key has found.
  bool YoungEnough(const cache::Entry& entry) const { return !max_age_ || Clock::now() - entry.stored <= *max_age_; }

  // Whether the execution may be shared, by what is known before the decision.
  bool Flies() const { return on() && !request_.routing().cache().no_cache() && AnyExpert(cache::MayStore); }

  // An answer was found: counts it, and says so in the trace.
  void Found(telemetry::CacheResult result, v1::Trace& trace) const {
    services_.metrics->Cache(result);
    trace.set_cache(v1::CACHE_OUTCOME_EXACT);
    trace.set_cache_store(result == telemetry::CacheResult::kExact ? "memory" : "redis");
  }

  void Store(const v1::CompleteResponse& response) const {
    if (redis_ != nullptr) redis_->Store(key_, cache::TenantTag(services_.cache_secret, tenant_), response);
    if (services_.cache == nullptr) return;
    services_.cache->Store(key_, std::make_shared<const v1::CompleteResponse>(response), Clock::now());
  }

 private:
  bool AnyExpert(bool (*may)(const v1::CompleteRequest&, const v1::Sampling&)) const {
    const std::vector<config::Expert>& experts = services_.snapshot->config->experts;
    return std::any_of(experts.begin(), experts.end(), [&](const config::Expert& expert) {
      return may(request_, backends::EffectiveSampling(request_.sampling(), expert.sampling));
    });
  }

  const Services& services_;
  cache::RedisCache* const redis_;
  const std::string& tenant_;
  const v1::CompleteRequest& request_;
  cache::Key key_{};
  std::optional<std::chrono::seconds> max_age_;
};

// One execution of a request: its own, or a flight's. References outlive it.
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
};

Failure Failed(Error error) { return {std::move(error), {}, {}}; }

telemetry::CacheResult ResultOf(const Cached& cached, const v1::Trace& trace) {
  if (!cached.on()) return telemetry::CacheResult::kOff;
  return trace.cache() == v1::CACHE_OUTCOME_MISS ? telemetry::CacheResult::kMiss
                                                 : telemetry::CacheResult::kNotCacheable;
}

// From the question to the answer in `response`, which is kept where it may be.
Awaitable<std::optional<Failure>> Answer(Task& task) {
  const Services& services = task.services;
  const config::Config& config = *services.snapshot->config;
  v1::Trace& trace = task.trace;

  // What is it about, and who should answer?
  Result<Question> question = Understand(services, task.request, trace);
  if (!question) co_return Failed(std::move(question).error());
  if (Escalates(services, task.shard.lane, *question)) {
    co_await AskEncoder(services, *task.shard.lane, task.deadline, task.request, *question->evidence, trace);
  }
  Result<Decision> decision = MakeDecision(services, task.caller.mask, *question, task.request, trace);
  if (!decision) co_return Failed(std::move(decision).error());
  CountDecision(services, *decision);
  const policies::Plan& plan = decision->choice.plan;
  const bool store = task.cached.on() && Cacheable(config, *decision->policy, plan, task.request);
  trace.set_cache(store ? v1::CACHE_OUTCOME_MISS : v1::CACHE_OUTCOME_NOT_CACHEABLE);
  if (task.flight == nullptr) {
    services.metrics->Cache(ResultOf(task.cached, trace));
  } else if (!store) {
    task.flight->Dissolve();
  }
  if (task.stream != nullptr && !task.routed) {
    v1::CompleteEvent route;
    *route.mutable_route() = trace;
    if (!co_await task.stream->Write(route)) co_return Failed(Cancelled("the client is gone"));
  }

  // Run it.
  Execution execution{.snapshot = *services.snapshot,
                      .backends = task.shard.backends,
                      .metrics = *services.metrics,
                      .request = task.request,
                      .deadline = task.deadline,
                      .arrival = task.arrival.time,
                      .stream = task.stream,
                      .collect = store || task.flight != nullptr,
                      .response = task.response,
                      .trace = trace,
                      .policy = IndexOf(config, *decision->policy),
                      .evidence = question->evidence ? &*question->evidence : nullptr,
                      .category = decision->choice.category,
                      .copied = decision->copied,
                      .random = decision->random,
                      .failures = {},
                      .partial = {},
                      .committed = false};
  Result<void> result = co_await Execute(plan, execution);
  if (!result) {
    Failure failure{std::move(result).error(), std::move(execution.failures), {}};
    if (execution.committed) failure.partial = std::move(execution.partial);
    co_return failure;
  }

  // Keep the answer if it may be kept.
  if (store && Complete(task.response.finish_reason())) task.cached.Store(task.response);
  trace.set_milliseconds(Milliseconds(Clock::now() - task.arrival.time));
  co_return std::nullopt;
}

grpc::Status ClientGone() { return {grpc::StatusCode::CANCELLED, "the client is gone"}; }

void Begin(const Services& services, const Arrival& arrival, const admission::Caller& caller, v1::Trace& trace) {
  trace.set_request_id(arrival.request_id);
  trace.set_tenant(caller.tenant);
  trace.set_snapshot(services.snapshot->version_text);
}

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
    lease = co_await cargo->cached.FindOrLease(cargo->arrival.request_id, landing.entry, waited);
    landing.trace.mutable_flight()->set_wait_milliseconds(waited);
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
  }
  cargo->flight->Land(std::move(landing));
}

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
    ride.services.metrics->Cache(ResultOf(ride.cached, *news.decision));
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
  if (!ride.counted) ride.services.metrics->Cache(ResultOf(ride.cached, landing.trace));
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

// The answer of a flight, another's or one that this request begins. Who joined one that failed goes on the next one,
// once: the first to come begins it, so that one request at a time asks. nullopt: the request must go on by itself.
Awaitable<std::optional<grpc::Status>> TakeFlight(Ride& ride) {
  const Executor executor = (co_await asio::this_coro::executor);
  const auto longest = ride.arrival.time + ride.services.snapshot->config->limits.max_deadline;
  const Deadline deadline = std::max<Deadline>(ride.arrival.deadline, longest);
  for (bool again = false;; again = true) {
    Seat seat(*ride.services.flights, ride.cached.key(), executor, ride.stream != nullptr, deadline,
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

}  // namespace

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
  if (Escalates(services, lane, *question)) {
    co_await AskEncoder(services, *lane, arrival.deadline, request, *question->evidence, trace);
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
