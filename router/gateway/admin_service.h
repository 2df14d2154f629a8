// router/gateway/admin_service.h: what operators ask.
#pragma once

#include <functional>

#include "pointsman/v1/admin.grpc.pb.h"
#include "router/gateway/pointsman_service.h"
#include "router/pipeline/serve.h"
#include "router/runtime/shard.h"

namespace pointsman::gateway {

// Any thread. Everything it refers to outlives the server.
class AdminService final : public v1::Admin::CallbackService {
 public:
  // `engine` makes a snapshot of the engine's state; any thread.
  AdminService(const pipeline::Services& services, runtime::Shards& shards, const PointsmanService& pointsman,
               std::function<v1::EngineStatus()> engine)
      : services_(services), shards_(shards), pointsman_(pointsman), engine_(std::move(engine)), start_(Clock::now()) {}

  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context, const v1::GetStatusRequest* request,
                                      v1::GetStatusResponse* response) override;
  grpc::ServerUnaryReactor* PurgeCache(grpc::CallbackServerContext* context, const v1::PurgeCacheRequest* request,
                                       v1::PurgeCacheResponse* response) override;

 private:
  class StatusCall;

  const pipeline::Services& services_;
  runtime::Shards& shards_;
  const PointsmanService& pointsman_;
  const std::function<v1::EngineStatus()> engine_;
  const Clock::time_point start_;
};

}  // namespace pointsman::gateway
