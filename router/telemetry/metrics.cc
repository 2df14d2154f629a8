#include "router/telemetry/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <atomic>
#include <sstream>

#include "router/telemetry/log.h"
#include "router/telemetry/metrics_page.h"
#include "router/version.h"

namespace pointsman::telemetry {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Histogram;
using prometheus::Labels;

constexpr std::array<const char*, 6> kMethods = {"Complete",    "StreamComplete", "Route",
                                                 "ListExperts", "GetStatus",      "PurgeCache"};
constexpr std::array<const char*, 6> kCacheResults = {"not_cacheable", "miss",        "exact",
                                                      "off",           "exact_redis", "semantic"};  // as CacheResult
constexpr const char* kFlightRoles[] = {"leader", "follower", "alone", "takeover"};                 // as FlightRole
constexpr std::array<const char*, 17> kStatuses = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};
constexpr ErrorClass kErrorClasses[] = {ErrorClass::kRetryElsewhere, ErrorClass::kRetryHere, ErrorClass::kCallersFault,
                                        ErrorClass::kCancelled, ErrorClass::kInternal};

// Seconds. A dry run takes under a millisecond, a cached answer a few, a long answer of a local model a minute.
const Histogram::BucketBoundaries kRequestSeconds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                     0.1,    0.25,    0.5,    1,     2.5,    5,     10,   30,    60};
const Histogram::BucketBoundaries kFirstTokenSeconds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3,
                                                        0.5,   0.75,   1,     1.5,  2.5,   5,    10,  30,  60};
const Histogram::BucketBoundaries kClassifySeconds = {2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 5e-3, 2e-2};

const Histogram::BucketBoundaries kEncoderSeconds = {0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 1, 10};
const Histogram::BucketBoundaries kSetSizes = {0, 1, 2, 3, 4, 6, 8, 16};
constexpr const char* kEscalations[] = {"refined", "timeout", "failed", "over_budget"};

// Handles for label values that seldom occur together: each is made when it is first needed, once, and found by index
// from then on, so that the page has no thousands of zeros.
class LazyCounters {
 public:
  explicit LazyCounters(std::size_t count) : handles_(count) {}

  template <class MakeLabels>
  Counter& At(std::size_t index, Family<Counter>& family, const MakeLabels& labels) {
    std::atomic<Counter*>& handle = handles_[index];
    Counter* counter = handle.load(std::memory_order_acquire);
    if (counter == nullptr) {
      counter = &family.Add(labels());  // gives the same one to every thread
      handle.store(counter, std::memory_order_release);
    }
    return *counter;
  }

 private:
  std::vector<std::atomic<Counter*>> handles_;
};

// What is sampled at each scrape.
class Sampled : public prometheus::Collectable {
 public:
  explicit Sampled(std::function<Gauges()> sample) : sample_(std::move(sample)) {}

  std::vector<prometheus::MetricFamily> Collect() const override {
    const Gauges now = sample_();
    using prometheus::MetricType;
    return {
        Make("pointsman_in_flight_requests", "Requests being served", MetricType::Gauge, now.in_flight),
        Make("pointsman_cache_bytes", "Bytes that the response cache holds", MetricType::Gauge, now.cache_bytes),
        Make("pointsman_semantic_questions", "Questions that the semantic caches remember", MetricType::Gauge,
             now.questions),
        Make("pointsman_cache_entries", "Answers that the response cache holds", MetricType::Gauge, now.cache_entries),
        Purged(now),
        Make("pointsman_redis_usable", "1 when every shard has a connection to Redis that answers", MetricType::Gauge,
             now.redis_usable),
        Make("pointsman_redis_replies_total", "Replies of Redis", MetricType::Counter, now.redis_replies),
        Make("pointsman_redis_errors_total", "Of the replies, errors", MetricType::Counter, now.redis_errors),
        Make("pointsman_redis_timeouts_total", "Commands without a reply in time", MetricType::Counter,
             now.redis_timeouts),
        Make("pointsman_redis_unavailable_total", "Commands that could not be sent, or whose connection went away",
             MetricType::Counter, now.redis_unavailable),
        Make("pointsman_engine_up", "1 when the local engine can answer", MetricType::Gauge, now.engine_up),
        Make("pointsman_engine_slots", "Requests that the local engine can decode at once", MetricType::Gauge,
             now.slots),
        Make("pointsman_engine_slots_busy", "Slots of the local engine in use", MetricType::Gauge, now.slots_busy),
        Make("pointsman_engine_queued_requests", "Requests that wait for a slot", MetricType::Gauge, now.engine_queue),
        Make("pointsman_engine_restarts_total", "Restarts of the local engine", MetricType::Counter,
             now.engine_restarts),
        Make("pointsman_log_dropped_total", "Log lines given up because the disk or terminal was too slow",
             MetricType::Counter, static_cast<double>(LogDropped())),
    };
  }

 private:
  static prometheus::MetricFamily Make(const char* name, const char* help, prometheus::MetricType type, double value) {
    prometheus::ClientMetric metric;
    (type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
    return {name, help, type, {std::move(metric)}};
  }

  static prometheus::MetricFamily Purged(const Gauges& now) {
    prometheus::ClientMetric memory, redis;
    memory.label = {{"store", "memory"}};
    memory.counter.value = now.purged_memory;
    redis.label = {{"store", "redis"}};
    redis.counter.value = now.purged_redis;
    return {"pointsman_cache_purged_total",
            "Answers that were purged",
            prometheus::MetricType::Counter,
            {std::move(memory), std::move(redis)}};
  }

  std::function<Gauges()> sample_;
};

}  // namespace

struct Metrics::Impl {
  Impl(const Names& all, std::function<Gauges()> sample)
      : names(all),
        sampled(std::make_shared<Sampled>(std::move(sample))),
        requests(NewCounter("pointsman_requests_total", "Requests by method and gRPC status")),
        decisions(NewCounter("pointsman_decisions_total", "Routing decisions by category, policy and first candidate")),
        request_handles(kMethods.size() * kStatuses.size()),
        decision_handles(all.categories.size() * all.policies.size() * all.experts.size()) {
    prometheus::BuildGauge()
        .Name("pointsman_build_info")
        .Help("Always 1; the label is the program's version")
        .Register(*registry)
        .Add({{"version", kVersion}})
        .Set(1);
    auto& duration = NewHistogram("pointsman_request_duration_seconds", "From a request's arrival to its end");
    for (const char* method : kMethods) request_seconds.push_back(&duration.Add({{"method", method}}, kRequestSeconds));
    auto& first = NewHistogram("pointsman_first_token_seconds", "From a request's arrival to its first content");
    auto& prompt = NewCounter("pointsman_prompt_tokens_total", "Prompt tokens, cached ones included");
    auto& cached = NewCounter("pointsman_cached_prompt_tokens_total", "Prompt tokens that were not computed again");
    auto& completion = NewCounter("pointsman_completion_tokens_total", "Tokens generated");
    auto& attempts = NewCounter("pointsman_attempts_total", "Attempts at experts by outcome");
    for (const std::string& name : names.experts) {
      const Labels expert = {{"expert", name}};
      ExpertHandles& handles = experts.emplace_back();
      handles.first_token = &first.Add(expert, kFirstTokenSeconds);
      handles.prompt = &prompt.Add(expert);
      handles.cached = &cached.Add(expert);
      handles.completion = &completion.Add(expert);
      handles.ok = &attempts.Add({{"expert", name}, {"outcome", "ok"}});
      handles.stopped = &attempts.Add({{"expert", name}, {"outcome", "stopped"}});
      for (ErrorClass error : kErrorClasses) {
        handles.errors[static_cast<std::size_t>(error)] =
            &attempts.Add({{"expert", name}, {"outcome", pointsman::Name(error)}});
      }
    }
    classify_seconds = &NewHistogram("pointsman_classification_duration_seconds", "CPU time of one classification")
                            .Add({}, kClassifySeconds);
    encoder_seconds =
        &NewHistogram("pointsman_encoder_duration_seconds", "Wait for the encoder lane of one escalated request")
             .Add({}, kEncoderSeconds);
    auto& escalated = NewCounter("pointsman_escalations_total", "Requests that the classifier was not sure of");
    for (const char* outcome : kEscalations) escalations.push_back(&escalated.Add({{"outcome", outcome}}));
    auto& selected = NewHistogram("pointsman_selected_experts", "Experts that a request was sent to at once");
    auto& gated = NewCounter("pointsman_gate_decisions_total", "Weak answers that a cascade's gate kept or not");
    for (const std::string& name : names.policies) {
      set_sizes.push_back(&selected.Add({{"policy", name}}, kSetSizes));
      for (const char* outcome : {"not_kept", "kept"}) {
        gates.push_back(&gated.Add({{"policy", name}, {"outcome", outcome}}));
      }
    }
    auto& lookups = NewCounter("pointsman_cache_lookups_total", "Requests by what the response cache did for them");
    for (const char* result : kCacheResults) cache.push_back(&lookups.Add({{"result", result}}));
    auto& audited = NewCounter("pointsman_semantic_audits_total", "Semantic matches compared with a fresh answer");
    for (const std::string& name : names.policies) {
      for (const char* result : {"different", "same"}) {
        audits.push_back(&audited.Add({{"policy", name}, {"result", result}}));
      }
    }
    auto& flown = NewCounter("pointsman_flights_total", "Requests by their part in a flight");
    for (const char* role : kFlightRoles) flights.push_back(&flown.Add({{"role", role}}));
  }

  Family<Counter>& NewCounter(const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(*registry);
  }
  Family<Histogram>& NewHistogram(const char* name, const char* help) {
    return prometheus::BuildHistogram().Name(name).Help(help).Register(*registry);
  }

  struct ExpertHandles {
    Histogram* first_token = nullptr;
    Counter *prompt = nullptr, *cached = nullptr, *completion = nullptr, *ok = nullptr, *stopped = nullptr;
    std::array<Counter*, std::size(kErrorClasses)> errors{};
  };

  Names names;
  std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();
  std::shared_ptr<Sampled> sampled;
  Family<Counter>&requests, &decisions;
  LazyCounters request_handles, decision_handles;
  std::vector<Histogram*> request_seconds;
  std::vector<ExpertHandles> experts;
  Histogram *classify_seconds = nullptr, *encoder_seconds = nullptr;
  std::vector<Counter*> escalations;
  std::vector<Histogram*> set_sizes;  // by policy
  std::vector<Counter*> gates;        // by policy, then not kept and kept
  std::vector<Counter*> cache, flights, audits;
  std::unique_ptr<MetricsPage> page;  // last: it goes first, and with it the scrapes
};

Metrics::Metrics(const Names& names, std::function<Gauges()> sample)
    : impl_(std::make_unique<Impl>(names, std::move(sample))) {}

Metrics::~Metrics() = default;

Result<int> Metrics::Listen(const std::string& address) {
  auto page = MetricsPage::Listen(address, {impl_->registry, impl_->sampled});
  if (!page) return std::move(page).error();
  impl_->page = *std::move(page);
  return impl_->page->port();
}

void Metrics::RequestDone(Rpc rpc, int grpc_status, double seconds) {
  const auto method = static_cast<std::size_t>(rpc);
  std::size_t status = static_cast<std::size_t>(grpc_status);
  if (status >= kStatuses.size()) status = 2;  // UNKNOWN
  impl_->request_handles
      .At(method * kStatuses.size() + status, impl_->requests,
          [&] {
            return Labels{{"method", kMethods[method]}, {"status", kStatuses[status]}};
          })
      .Increment();
  impl_->request_seconds[method]->Observe(seconds);
}

void Metrics::Selected(std::size_t policy, std::size_t experts) {
  impl_->set_sizes[policy]->Observe(static_cast<double>(experts));
}

void Metrics::Gated(std::size_t policy, bool kept) { impl_->gates[2 * policy + (kept ? 1 : 0)]->Increment(); }

void Metrics::Stopped(std::size_t expert) { impl_->experts[expert].stopped->Increment(); }

void Metrics::FirstToken(std::size_t expert, double seconds) { impl_->experts[expert].first_token->Observe(seconds); }

void Metrics::Tokens(std::size_t expert, std::uint64_t prompt, std::uint64_t cached, std::uint64_t completion) {
  const Impl::ExpertHandles& handles = impl_->experts[expert];
  handles.prompt->Increment(static_cast<double>(prompt));
  handles.cached->Increment(static_cast<double>(cached));
  handles.completion->Increment(static_cast<double>(completion));
}

void Metrics::Classified(double seconds) { impl_->classify_seconds->Observe(seconds); }

void Metrics::Escalated(Escalation outcome, double seconds) {
  impl_->escalations[static_cast<std::size_t>(outcome)]->Increment();
  if (outcome != Escalation::kOverBudget) impl_->encoder_seconds->Observe(seconds);
}

void Metrics::Decided(std::size_t category, std::size_t policy, std::size_t expert) {
  const Names& names = impl_->names;
  const std::size_t index = (category * names.policies.size() + policy) * names.experts.size() + expert;
  impl_->decision_handles
      .At(index, impl_->decisions,
          [&] {
            return Labels{{"category", names.categories[category]},
                          {"policy", names.policies[policy]},
                          {"expert", names.experts[expert]}};
          })
      .Increment();
}

void Metrics::Attempted(std::size_t expert, const ErrorClass* error) {
  const Impl::ExpertHandles& handles = impl_->experts[expert];
  (error == nullptr ? handles.ok : handles.errors[static_cast<std::size_t>(*error)])->Increment();
}

void Metrics::Cache(CacheResult result) { impl_->cache[static_cast<std::size_t>(result)]->Increment(); }

void Metrics::Audited(std::size_t policy, bool same) { impl_->audits[2 * policy + (same ? 1 : 0)]->Increment(); }

void Metrics::Flight(FlightRole role) { impl_->flights[static_cast<std::size_t>(role)]->Increment(); }

std::string Metrics::Render() const {
  std::vector<prometheus::MetricFamily> families = impl_->registry->Collect();
  std::vector<prometheus::MetricFamily> sampled = impl_->sampled->Collect();
  families.insert(families.end(), std::make_move_iterator(sampled.begin()), std::make_move_iterator(sampled.end()));
  std::ostringstream page;
  prometheus::TextSerializer().Serialize(page, families);
  return page.str();
}

}  // namespace pointsman::telemetry
