#include "router/gateway/purge_call.h"

#include <boost/asio/this_coro.hpp>

#include "router/cache/purge_log.h"
#include "router/telemetry/log.h"

namespace pointsman::gateway {

// In this process alone.
Awaitable<void> PurgeCall::ForgetHere(cache::Purge purge) {
  cache::Purges& purges = *services().purges;
  const std::uint64_t count = purges.Add(std::move(purge));
  co_await purges.ForgetInMemory();
  response_.set_memory_entries(purges.GoneBy(count));
}

Awaitable<void> PurgeCall::SweepRedis(const PurgeScope& scope) {
  const cache::Swept swept = co_await cache::Sweep(*shard().redis_cache(), scope.purge, scope.places);
  services().purges->CountRedis(swept.entries);
  response_.set_redis_entries(response_.redis_entries() + swept.entries);
  response_.set_redis_left(swept.left);
}

// The log comes first: from then on nobody gives, or keeps, what was there before, whatever happens to the rest.
Awaitable<Result<void>> PurgeCall::ForgetEverywhere(const PurgeScope& scope) {
  cache::RedisCache& redis = *shard().redis_cache();
  cache::Purges& purges = *services().purges;
  Result<cache::Position> position = co_await cache::Announce(redis, scope.purge);
  if (!position && position.error().code == Code::kResourceExhausted) {  // it is full: perhaps of what shall go
    co_await SweepRedis(scope);
    position = co_await cache::Announce(redis, scope.purge);
  }
  if (!position) {
    co_await ForgetHere(scope.purge);
    co_return position.error();
  }
  const Result<void> read = co_await cache::CatchUp(redis, purges);
  if (!read) {  // Redis went away since; the other replicas, and this one, hear of it when it is back
    co_await ForgetHere(scope.purge);
    response_.set_redis_left(read.error().message);
    co_return Result<void>();
  }
  co_await purges.ForgetInMemory();
  response_.set_memory_entries(purges.GoneByLogged(*position));
  // The rest gives room, and may take a while: it ends with the call.
  co_await asio::this_coro::reset_cancellation_state();
  if (ending() != runtime::Ending::kNone) {
    response_.set_redis_left("the call was ended before");
    co_return Result<void>();
  }
  co_await SweepRedis(scope);
  co_return Result<void>();
}

Awaitable<grpc::Status> PurgeCall::Run() {
  const config::Config& config = *services().snapshot->config;
  const std::optional<grpc::Status> refused = RefuseUnlessAdmin(config, arrival());
  if (refused) co_return *refused;
  if (config.cache.memory_bytes == 0 && !config.cache.redis) {
    co_return grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, "there is no cache (cache.memory, cache.redis)");
  }
  PurgeScope scope;
  const std::vector<FieldViolation> violations = ReadScope(request_, services(), scope);
  if (!violations.empty()) co_return BadRequest(violations);
  for (std::string& warning : scope.warnings) response_.add_warnings(std::move(warning));

  // A client that goes does not leave it half done.
  const asio::disable_cancellation none;
  co_await asio::this_coro::reset_cancellation_state(none);
  grpc::Status status;
  if (shard().redis_cache() == nullptr) {
    co_await ForgetHere(scope.purge);
  } else {
    const Result<void> everywhere = co_await ForgetEverywhere(scope);
    if (!everywhere) {
      status = {grpc::StatusCode::UNAVAILABLE,
                "Redis could not be told: " + everywhere.error().message + ". Purged is this process's memory alone (" +
                    std::to_string(response_.memory_entries()) +
                    " entries): Redis and the other replicas have theirs still. Ask again when Redis is usable."};
    }
  }
  Log(status);
  co_return status;
}

void PurgeCall::Log(const grpc::Status& status) const {
  telemetry::Log(status.ok() ? telemetry::Level::kInfo : telemetry::Level::kWarn, "cache purged",
                 {{"request_id", arrival().request_id},
                  {"tenant", request_.tenant()},
                  {"policy", request_.policy()},
                  {"of_a_request", request_.has_request()},
                  {"everything", request_.everything()},
                  {"memory_entries", response_.memory_entries()},
                  {"redis_entries", response_.redis_entries()},
                  {"redis_left", response_.redis_left()},
                  {"error", status.error_message()}});
}

}  // namespace pointsman::gateway
