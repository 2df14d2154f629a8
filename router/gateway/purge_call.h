// router/gateway/purge_call.h: Admin.PurgeCache.
#pragma once

#include "pointsman/v1/admin.pb.h"
#include "router/gateway/calls.h"
#include "router/gateway/purge_scope.h"

namespace pointsman::gateway {

// Everything it refers to outlives the call.
class PurgeCall final : public UnaryCall {
 public:
  PurgeCall(grpc::CallbackServerContext* context, const pipeline::Services& services, runtime::Shard& shard,
            pipeline::Arrival arrival, const v1::PurgeCacheRequest& request, v1::PurgeCacheResponse& response)
      : UnaryCall(context, shard, services, std::move(arrival), telemetry::Rpc::kPurgeCache),
        request_(request),
        response_(response) {}

 private:
  Awaitable<grpc::Status> Run() override;
  Awaitable<void> ForgetHere(cache::Purge purge);
  Awaitable<void> SweepRedis(const PurgeScope& scope);
  Awaitable<Result<void>> ForgetEverywhere(const PurgeScope& scope);
  void Log(const grpc::Status& status) const;

  const v1::PurgeCacheRequest& request_;
  v1::PurgeCacheResponse& response_;
};

}  // namespace pointsman::gateway
