#include "router/gateway/pointsman_service.h"

#include "router/gateway/calls.h"
#include "router/gateway/experts.h"

namespace pointsman::gateway {
namespace {

pipeline::ShardParts PartsOf(runtime::Shard& shard) {
  return {shard.backends(), shard.encoder_lane(), shard.redis_cache(), &shard.calls()};
}

class CompleteCall final : public UnaryCall {
 public:
  CompleteCall(grpc::CallbackServerContext* context, runtime::Shard& shard, const pipeline::Services& services,
               pipeline::Arrival arrival, const v1::CompleteRequest* request, v1::CompleteResponse* response)
      : UnaryCall(context, shard, services, std::move(arrival), telemetry::Rpc::kComplete),
        request_(request),
        response_(response) {}

 private:
  Awaitable<grpc::Status> Run() override {
    return pipeline::Serve(services(), PartsOf(shard()), arrival(), *request_, nullptr, *response_);
  }

  const v1::CompleteRequest* const request_;
  v1::CompleteResponse* const response_;
};

class StreamCompleteCall final : public RecordedCall<runtime::StreamCall<v1::CompleteEvent>>,
                                 public pipeline::EventStream {
 public:
  StreamCompleteCall(grpc::CallbackServerContext* context, runtime::Shard& shard, const pipeline::Services& services,
                     pipeline::Arrival arrival, const v1::CompleteRequest* request)
      : RecordedCall(context, shard, services, std::move(arrival), telemetry::Rpc::kStreamComplete),
        request_(request) {}

  Awaitable<bool> Write(const v1::CompleteEvent& event) override { return WriteEvent(event); }
  Awaitable<bool> WriteLast(std::vector<v1::CompleteEvent> events) override {
    return WriteLastEvents(std::move(events));
  }

 private:
  Awaitable<grpc::Status> Run() override {
    return pipeline::Serve(services(), PartsOf(shard()), arrival(), *request_, this, scratch_);
  }

  const v1::CompleteRequest* const request_;
  v1::CompleteResponse scratch_;
};

class RouteCall final : public UnaryCall {
 public:
  RouteCall(grpc::CallbackServerContext* context, runtime::Shard& shard, const pipeline::Services& services,
            pipeline::Arrival arrival, const v1::RouteRequest* request, v1::RouteResponse* response)
      : UnaryCall(context, shard, services, std::move(arrival), telemetry::Rpc::kRoute),
        request_(request),
        response_(response) {}

 private:
  Awaitable<grpc::Status> Run() override {
    return pipeline::Decide(services(), arrival(), request_->request(), *response_->mutable_trace(),
                            shard().encoder_lane());
  }

  const v1::RouteRequest* const request_;
  v1::RouteResponse* const response_;
};

class ListExpertsCall final : public UnaryCall {
 public:
  ListExpertsCall(grpc::CallbackServerContext* context, runtime::Shard& shard, const pipeline::Services& services,
                  pipeline::Arrival arrival, v1::ListExpertsResponse* response)
      : UnaryCall(context, shard, services, std::move(arrival), telemetry::Rpc::kListExperts), response_(response) {}

 private:
  Awaitable<grpc::Status> Run() override {
    const config::Config& config = *services().snapshot->config;
    Result<admission::Caller> caller = admission::Authenticate(config, arrival().authorization);
    if (!caller) co_return ToStatus(caller.error(), arrival().request_id);
    DescribeExperts(config, shard().backends(), *response_->mutable_experts());
    co_return grpc::Status::OK;
  }

  v1::ListExpertsResponse* const response_;
};

template <class Call, class... Args>
Call* Begin(Args&&... args) {
  auto call = std::make_shared<Call>(std::forward<Args>(args)...);
  call->Start();
  return call.get();
}

}  // namespace

grpc::ServerUnaryReactor* PointsmanService::Complete(grpc::CallbackServerContext* context,
                                                     const v1::CompleteRequest* request,
                                                     v1::CompleteResponse* response) {
  requests_.fetch_add(1, std::memory_order_relaxed);
  return Begin<CompleteCall>(context, shards_.Next(), services_,
                             ArrivalOf(*context, services_.snapshot->config->limits), request, response);
}

grpc::ServerWriteReactor<v1::CompleteEvent>* PointsmanService::StreamComplete(grpc::CallbackServerContext* context,
                                                                              const v1::CompleteRequest* request) {
  requests_.fetch_add(1, std::memory_order_relaxed);
  return Begin<StreamCompleteCall>(context, shards_.Next(), services_,
                                   ArrivalOf(*context, services_.snapshot->config->limits), request);
}

grpc::ServerUnaryReactor* PointsmanService::Route(grpc::CallbackServerContext* context, const v1::RouteRequest* request,
                                                  v1::RouteResponse* response) {
  return Begin<RouteCall>(context, shards_.Next(), services_, ArrivalOf(*context, services_.snapshot->config->limits),
                          request, response);
}

grpc::ServerUnaryReactor* PointsmanService::ListExperts(grpc::CallbackServerContext* context,
                                                        const v1::ListExpertsRequest* /*request*/,
                                                        v1::ListExpertsResponse* response) {
  return Begin<ListExpertsCall>(context, shards_.Next(), services_,
                                ArrivalOf(*context, services_.snapshot->config->limits), response);
}

}  // namespace pointsman::gateway
