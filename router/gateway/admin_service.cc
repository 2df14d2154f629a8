#include "router/gateway/admin_service.h"

#include "router/gateway/calls.h"
#include "router/gateway/experts.h"
#include "router/gateway/purge_call.h"
#include "router/version.h"

namespace pointsman::gateway {

class AdminService::StatusCall final : public UnaryCall {
 public:
  StatusCall(grpc::CallbackServerContext* context, AdminService& admin, runtime::Shard& shard,
             pipeline::Arrival arrival, v1::GetStatusResponse* response)
      : UnaryCall(context, shard, admin.services_, std::move(arrival), telemetry::Rpc::kGetStatus),
        admin_(admin),
        response_(*response) {}

 private:
  Awaitable<grpc::Status> Run() override {
    const pipeline::Snapshot& snapshot = *services().snapshot;
    const std::optional<grpc::Status> refused = RefuseUnlessAdmin(*snapshot.config, arrival());
    if (refused) co_return *refused;
    Fill(snapshot);
    co_return grpc::Status::OK;
  }

  void Fill(const pipeline::Snapshot& snapshot) {
    response_.set_version(kVersion);
    response_.set_snapshot(snapshot.version_text);
    response_.set_config_file(snapshot.config->file.string());
    response_.set_uptime_seconds(std::chrono::duration<double>(Clock::now() - admin_.start_).count());
    response_.set_shards(static_cast<std::uint32_t>(admin_.shards_.size()));
    response_.set_in_flight(static_cast<std::uint32_t>(services().admission->in_flight()));
    response_.set_in_flight_limit(static_cast<std::uint32_t>(services().admission->limit()));
    response_.set_requests(admin_.pointsman_.requests());
    if (services().redis != nullptr) {
      const std::string why_not = services().redis->why_not();
      response_.mutable_cache()->set_redis(why_not.empty() ? "usable" : why_not);
    }
    if (services().cache != nullptr) {
      cache::Stats stats = services().cache->stats();
      v1::CacheStatus& cache = *response_.mutable_cache();
      cache.set_entries(stats.entries);
      cache.set_bytes(stats.bytes);
      cache.set_capacity_bytes(services().cache->capacity());
      cache.set_hits(stats.hits);
      cache.set_misses(stats.misses);
      cache.set_evictions(stats.evictions);
    }
    *response_.mutable_engine() = admin_.engine_();
    DescribeExperts(*snapshot.config, shard().backends(), *response_.mutable_experts());
  }

  AdminService& admin_;
  v1::GetStatusResponse& response_;
};

grpc::ServerUnaryReactor* AdminService::GetStatus(grpc::CallbackServerContext* context,
                                                  const v1::GetStatusRequest* /*request*/,
                                                  v1::GetStatusResponse* response) {
  auto call = std::make_shared<StatusCall>(context, *this, shards_.Next(),
                                           ArrivalOf(*context, services_.snapshot->config->limits), response);
  call->Start();
  return call.get();
}

grpc::ServerUnaryReactor* AdminService::PurgeCache(grpc::CallbackServerContext* context,
                                                   const v1::PurgeCacheRequest* request,
                                                   v1::PurgeCacheResponse* response) {
  auto call = std::make_shared<PurgeCall>(context, services_, shards_.Next(),
                                          ArrivalOf(*context, services_.snapshot->config->limits), *request, *response);
  call->Start();
  return call.get();
}

}  // namespace pointsman::gateway
