#include "router/pipeline/cached.h"

#include <algorithm>
#include <boost/asio/basic_waitable_timer.hpp>
#include <vector>

namespace pointsman::pipeline {
namespace {

void AppendEnd(const v1::CompleteResponse& response, v1::Trace& trace, std::vector<v1::CompleteEvent>& events) {
  *events.emplace_back().mutable_usage() = response.usage();
  v1::Done& done = *events.emplace_back().mutable_done();
  done.set_finish_reason(response.finish_reason());
  done.set_expert(response.expert());
  *done.mutable_trace() = std::move(trace);
}

}  // namespace

Cached::Cached(const Services& services, cache::RedisCache* redis, const std::string& tenant,
               const v1::CompleteRequest& request)
    : services_(services), redis_(redis), tenant_(tenant), request_(request) {
  if (on()) key_ = cache::MakeKey(services.cache_secret, tenant, services.snapshot->answers, request);
  const v1::CacheControl& control = request.routing().cache();
  if (control.has_max_age_seconds()) max_age_ = std::chrono::seconds(control.max_age_seconds());
}

Cached::Cached(const Cached& other, const std::string& tenant, const v1::CompleteRequest& request)
    : services_(other.services_),
      redis_(other.redis_),
      tenant_(tenant),
      request_(request),
      tenant_tag_(other.tenant_tag_),
      key_(other.key_),
      max_age_(other.max_age_) {}

std::optional<cache::Entry> Cached::FindInMemory(Clock::time_point now, bool again) const {
  if (services_.cache == nullptr || request_.routing().cache().no_cache()) return std::nullopt;
  return services_.cache->Find(key_, max_age_, now, again);
}

bool Cached::AsksRedis() const {
  if (redis_ == nullptr || request_.routing().cache().no_cache() || !redis_->client().usable()) return false;
  return AnyExpert(cache::MayHold);
}

Awaitable<std::optional<cache::Entry>> Cached::FindInRedis() const {
  std::optional<cache::Entry> entry = co_await redis_->Find(key_, TenantTag(), max_age_);
  if (entry) KeepInMemory(*entry);
  co_return entry;
}

Awaitable<std::unique_ptr<cache::Lease>> Cached::FindOrLease(std::optional<cache::Entry>& entry, double& waited) const {
  constexpr std::chrono::milliseconds kShortest{10}, kLongest{100};
  const Executor executor = (co_await asio::this_coro::executor);
  const std::string token = services_.flights->NewToken();
  asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor> timer(executor);
  const Clock::time_point start = Clock::now();
  for (auto pause = kShortest;; pause = std::min(kLongest, pause * 3 / 2)) {
    cache::Lease::Found found = co_await cache::Lease::Find(*redis_, key_, TenantTag(), max_age_, token);
    if (found.entry) {
      KeepInMemory(*found.entry);
      entry = std::move(found.entry);
    }
    if (!found.elsewhere) co_return std::move(found.lease);
    timer.expires_after(pause);
    co_await timer.async_wait(kAwait);
    waited = Milliseconds(Clock::now() - start);
  }
}

bool Cached::Flies() const { return on() && !request_.routing().cache().no_cache() && AnyExpert(cache::MayStore); }

void Cached::Found(telemetry::CacheResult result, v1::Trace& trace) const {
  services_.metrics->Cache(result);
  trace.set_cache(v1::CACHE_OUTCOME_EXACT);
  trace.set_cache_store(result == telemetry::CacheResult::kExact ? "memory" : "redis");
}

telemetry::CacheResult Cached::ResultOf(const v1::Trace& trace) const {
  if (!on()) return telemetry::CacheResult::kOff;
  return trace.cache() == v1::CACHE_OUTCOME_MISS ? telemetry::CacheResult::kMiss
                                                 : telemetry::CacheResult::kNotCacheable;
}

void Cached::Store(const v1::CompleteResponse& response) const {
  if (redis_ != nullptr) redis_->Store(key_, TenantTag(), response);
  if (services_.cache == nullptr) return;
  services_.cache->Store(key_, std::make_shared<const v1::CompleteResponse>(response), Clock::now());
}

const std::string& Cached::TenantTag() const {
  if (tenant_tag_.empty()) tenant_tag_ = cache::TenantTag(services_.cache_secret, tenant_);
  return tenant_tag_;
}

bool Cached::AnyExpert(bool (*may)(const v1::CompleteRequest&, const v1::Sampling&)) const {
  const std::vector<config::Expert>& experts = services_.snapshot->config->experts;
  return std::any_of(experts.begin(), experts.end(), [&](const config::Expert& expert) {
    return may(request_, backends::EffectiveSampling(request_.sampling(), expert.sampling));
  });
}

void Cached::KeepInMemory(const cache::Entry& entry) const {
  if (services_.cache != nullptr) services_.cache->Store(key_, entry.response, entry.stored);
}

Awaitable<bool> WriteEnd(EventStream& stream, const v1::CompleteResponse& response, v1::Trace& trace) {
  std::vector<v1::CompleteEvent> events;
  AppendEnd(response, trace, events);
  return stream.WriteLast(std::move(events));
}

Awaitable<bool> WriteCached(EventStream* stream, const cache::Entry& entry, const Arrival& arrival,
                            v1::CompleteResponse& response, v1::Trace& trace, bool routed) {
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
  std::vector<v1::CompleteEvent> events;
  events.reserve(static_cast<std::size_t>(response.message().parts_size()) + 3);
  if (!routed) *events.emplace_back().mutable_route() = trace;
  for (v1::Part& part : *response.mutable_message()->mutable_parts()) {
    v1::Delta& delta = *events.emplace_back().mutable_delta();
    delta.set_text(std::move(*part.mutable_text()));
    delta.mutable_logprobs()->Swap(response.mutable_logprobs());
  }
  AppendEnd(response, trace, events);
  co_return co_await stream->WriteLast(std::move(events));
}

grpc::Status ClientGone() { return {grpc::StatusCode::CANCELLED, "the client is gone"}; }

}  // namespace pointsman::pipeline
