#include "router/pipeline/cached.h"

#include <algorithm>
#include <boost/asio/basic_waitable_timer.hpp>
#include <vector>

namespace pointsman::pipeline {
namespace {

// Null: there is no such policy, and the request will be refused.
const config::Policy* PolicyFor(const v1::CompleteRequest& request, const config::Config& config) {
  const std::string& name = request.routing().policy();
  return config.FindPolicy(name.empty() ? config.default_policy : name);
}

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
    : services_(services),
      policy_(PolicyFor(request, *services.snapshot->config)),
      redis_(redis),
      tenant_(tenant),
      request_(request),
      began_(services.purges == nullptr ? cache::Began() : services.purges->now()) {
  if (!on()) return;
  place_.subject.question = cache::HashQuestion(services.cache_secret, tenant, request, policy_->cache.sampled);
  place_.key = cache::VersionKey(place_.subject.question, services.snapshot->answers);
  place_.ttl = policy_->cache.ttl;
  const v1::CacheControl& control = request.routing().cache();
  if (control.has_max_age_seconds()) max_age_ = std::chrono::seconds(control.max_age_seconds());
}

Cached::Cached(const Cached& other, const std::string& tenant, const v1::CompleteRequest& request)
    : services_(other.services_),
      policy_(other.policy_),
      redis_(other.redis_),
      tenant_(tenant),
      request_(request),
      place_(other.place_),
      tagged_(other.tagged_),
      max_age_(other.max_age_),
      began_(other.began_) {}

// A hit in memory needs no tags.
const cache::Place& Cached::place() const {
  if (!tagged_ && on()) {
    place_.subject.tags = {cache::TenantTag(services_.cache_secret, tenant_),
                           cache::PolicyTag(services_.cache_secret, policy_->name)};
    tagged_ = true;
  }
  return place_;
}

cache::Key Cached::KeyOf(const v1::CompleteRequest& other) const {
  return cache::VersionKey(cache::HashQuestion(services_.cache_secret, tenant_, other, policy_->cache.sampled),
                           services_.snapshot->answers);
}

bool Cached::MayHold() const { return AnyExpert(cache::MayHold); }

Awaitable<std::optional<cache::Entry>> Cached::FindOther(cache::Key key, cache::Key question,
                                                         const char*& store) const {
  if (request_.routing().cache().no_cache()) co_return std::nullopt;
  if (services_.cache != nullptr) {
    std::optional<cache::Entry> entry = services_.cache->Find(key, max_age_, Clock::now(), true, place_.ttl);
    store = "memory";
    if (entry) co_return entry;
  }
  if (redis_ == nullptr || !redis_->client().usable()) co_return std::nullopt;
  store = "redis";
  cache::Place other = place();
  other.key = key;
  other.subject.question = question;
  co_return co_await redis_->Find(other, max_age_);
}

// Purges begin a new time: who comes after one does not join what was begun before it.
cache::Key Cached::flight_key() const {
  cache::Key key = place_.key;
  for (std::size_t i = 0; i < sizeof began_.count; ++i) key[i] ^= static_cast<std::uint8_t>(began_.count >> (8 * i));
  return key;
}

std::optional<cache::Entry> Cached::FindInMemory(Clock::time_point now, bool again) const {
  if (!on() || services_.cache == nullptr || request_.routing().cache().no_cache()) return std::nullopt;
  return services_.cache->Find(place_.key, max_age_, now, again, place_.ttl);
}

bool Cached::AsksRedis() const {
  if (!on() || redis_ == nullptr || request_.routing().cache().no_cache() || !redis_->client().usable()) return false;
  return MayHold();
}

Awaitable<std::optional<cache::Entry>> Cached::FindInRedis() const {
  const std::uint64_t purges = PurgesNow();
  std::optional<cache::Entry> entry = co_await redis_->Find(place(), max_age_);
  if (entry) KeepInMemory(entry->response, entry->stored, purges);
  co_return entry;
}

Awaitable<std::unique_ptr<cache::Lease>> Cached::FindOrLease(std::optional<cache::Entry>& entry, double& waited) const {
  constexpr std::chrono::milliseconds kShortest{10}, kLongest{100};
  const Executor executor = (co_await asio::this_coro::executor);
  const std::string token = services_.flights->NewToken();
  asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor> timer(executor);
  const Clock::time_point start = Clock::now();
  for (auto pause = kShortest;; pause = std::min(kLongest, pause * 3 / 2)) {
    const std::uint64_t purges = PurgesNow();
    cache::Lease::Found found = co_await cache::Lease::Find(*redis_, place(), max_age_, token);
    if (found.entry) {
      KeepInMemory(found.entry->response, found.entry->stored, purges);
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
  trace.set_cache(result == telemetry::CacheResult::kSemantic ? v1::CACHE_OUTCOME_SEMANTIC : v1::CACHE_OUTCOME_EXACT);
  if (result == telemetry::CacheResult::kSemantic) return;  // the look-up has said where
  trace.set_cache_store(result == telemetry::CacheResult::kExact ? "memory" : "redis");
}

telemetry::CacheResult Cached::ResultOf(const v1::Trace& trace) const {
  if (!on()) return telemetry::CacheResult::kOff;
  return trace.cache() == v1::CACHE_OUTCOME_MISS ? telemetry::CacheResult::kMiss
                                                 : telemetry::CacheResult::kNotCacheable;
}

void Cached::Store(const v1::CompleteResponse& response) const {
  if (Purged(began_.count)) return;
  if (redis_ != nullptr) redis_->Store(place(), response, began_.position);
  if (services_.cache == nullptr) return;
  KeepInMemory(std::make_shared<const v1::CompleteResponse>(response), Clock::now(), began_.count);
}

bool Cached::AnyExpert(bool (*may)(const v1::CompleteRequest&, const v1::Sampling&, bool)) const {
  const std::vector<config::Expert>& experts = services_.snapshot->config->experts;
  return std::any_of(experts.begin(), experts.end(), [&](const config::Expert& expert) {
    return may(request_, backends::EffectiveSampling(request_.sampling(), expert.sampling), policy_->cache.sampled);
  });
}

// Looked at before and after: a purge that comes between forgets it, in its turn or here.
void Cached::KeepInMemory(std::shared_ptr<const v1::CompleteResponse> response, Clock::time_point stored,
                          std::uint64_t purges) const {
  if (services_.cache == nullptr || Purged(purges)) return;
  services_.cache->Store(place_.key, std::move(response), stored, place().subject.tags);
  if (Purged(purges)) services_.cache->Forget(place_.key);
}

bool Cached::Purged(std::uint64_t since) const {
  return services_.purges != nullptr && since < PurgesNow() && services_.purges->Since(since, place().subject);
}

std::uint64_t Cached::PurgesNow() const { return services_.purges == nullptr ? 0 : services_.purges->now().count; }

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
