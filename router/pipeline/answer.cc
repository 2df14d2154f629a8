#include "router/pipeline/answer.h"

#include <algorithm>

#include "router/pipeline/decide.h"
#include "router/pipeline/like_questions.h"

namespace pointsman::pipeline {
namespace {

// Whether an answer to this request, by whichever experts the plan may ask, may be kept and found again. A reply that
// costs nothing needs no cache.
bool Cacheable(const config::Config& config, const config::Policy& policy, const policies::Plan& plan,
               const v1::CompleteRequest& request) {
  const auto may_store = [&](std::size_t expert) {
    return !config.experts[expert].zero_cost() &&
           cache::MayStore(request, backends::EffectiveSampling(request.sampling(), config.experts[expert].sampling),
                           policy.cache.sampled);
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

Failure Failed(Error error) { return {std::move(error), {}, {}}; }

}  // namespace

Awaitable<std::optional<Failure>> Answer(Task& task) {
  const Services& services = task.services;
  const config::Config& config = *services.snapshot->config;
  v1::Trace& trace = task.trace;

  // Was a question like it answered before?
  const LikeQuestions questions(services, task.cached, task.request);
  std::optional<LikeAnswer> like;
  if (questions.on()) like = co_await questions.Find();
  if (like && !questions.Audits(task.arrival.request_id)) {
    trace.set_policy(task.cached.policy()->name);
    trace.set_cache_similarity(like->similarity);
    trace.set_cache_probability(like->probability);
    trace.set_cache_store(like->store);
    task.like = std::move(like->entry);
    co_return std::nullopt;
  }

  // What is it about, and who should answer?
  Result<Question> question = Understand(services, task.request, trace);
  if (!question) co_return Failed(std::move(question).error());
  if (const std::optional<double> confidence = Escalates(services, task.shard.lane, *question)) {
    co_await AskEncoder(services, *task.shard.lane, task.deadline, *confidence, task.request, *question->evidence,
                        trace);
  }
  Result<Decision> decision = MakeDecision(services, task.caller.mask, *question, task.request, trace);
  if (!decision) co_return Failed(std::move(decision).error());
  CountDecision(services, *decision);
  const policies::Plan& plan = decision->choice.plan;
  const bool store = task.cached.on() && Cacheable(config, *decision->policy, plan, task.request);
  trace.set_cache(store ? v1::CACHE_OUTCOME_MISS : v1::CACHE_OUTCOME_NOT_CACHEABLE);
  if (task.flight == nullptr) {
    services.metrics->Cache(task.cached.ResultOf(trace));
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
  if (store && Complete(task.response.finish_reason())) {
    task.cached.Store(task.response);
    questions.Add();
    if (like) questions.Compare(*like, task.response, trace);
  }
  trace.set_milliseconds(Milliseconds(Clock::now() - task.arrival.time));
  co_return std::nullopt;
}

void Begin(const Services& services, const Arrival& arrival, const admission::Caller& caller, v1::Trace& trace) {
  trace.set_request_id(arrival.request_id);
  trace.set_tenant(caller.tenant);
  trace.set_snapshot(services.snapshot->version_text);
}

}  // namespace pointsman::pipeline
