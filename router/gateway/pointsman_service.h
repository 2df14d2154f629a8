// router/gateway/pointsman_service.h: the RPC surface of the public API. Each call is a coroutine on one shard.
#pragma once

#include "pointsman/v1/pointsman.grpc.pb.h"
#include "router/pipeline/serve.h"
#include "router/runtime/shard.h"

namespace pointsman::gateway {

// Any thread. `services` and `shards` outlive the server.
class PointsmanService final : public v1::Pointsman::CallbackService {
 public:
  PointsmanService(const pipeline::Services& services, runtime::Shards& shards)
      : services_(services), shards_(shards) {}

  grpc::ServerUnaryReactor* Complete(grpc::CallbackServerContext* context, const v1::CompleteRequest* request,
                                     v1::CompleteResponse* response) override;
  grpc::ServerWriteReactor<v1::CompleteEvent>* StreamComplete(grpc::CallbackServerContext* context,
                                                              const v1::CompleteRequest* request) override;
  grpc::ServerUnaryReactor* Route(grpc::CallbackServerContext* context, const v1::RouteRequest* request,
                                  v1::RouteResponse* response) override;
  grpc::ServerUnaryReactor* ListExperts(grpc::CallbackServerContext* context, const v1::ListExpertsRequest* request,
                                        v1::ListExpertsResponse* response) override;

  // Complete and StreamComplete calls since the start.
  std::uint64_t requests() const { return requests_.load(std::memory_order_relaxed); }

 private:
  const pipeline::Services& services_;
  runtime::Shards& shards_;
  std::atomic<std::uint64_t> requests_{0};
};

}  // namespace pointsman::gateway
