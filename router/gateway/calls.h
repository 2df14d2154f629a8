// router/gateway/calls.h: what the calls of all services have in common: their arrival, and what is recorded when they
// end.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "router/gateway/arrival.h"
#include "router/pipeline/serve.h"
#include "router/runtime/server_call.h"
#include "router/telemetry/metrics.h"

namespace pointsman::gateway {

// The log lines of a call's end and of a bug. Any thread.
void LogEnd(telemetry::Rpc rpc, const std::string& request_id, const grpc::Status& status, double seconds);
void LogCrash(const std::string& request_id, const char* what);

// What the service Admin answers to who is no admin; nullopt: to an admin. Any thread.
std::optional<grpc::Status> RefuseUnlessAdmin(const config::Config& config, const pipeline::Arrival& arrival);

// Adds arrival, metrics and the log line to a reactor of server_call.h.
template <class Call>
class RecordedCall : public Call {
 public:
  RecordedCall(grpc::CallbackServerContext* context, runtime::Shard& shard, const pipeline::Services& services,
               pipeline::Arrival arrival, telemetry::Rpc rpc)
      : Call(context, shard, arrival.deadline), services_(services), arrival_(std::move(arrival)), rpc_(rpc) {}

 protected:
  const pipeline::Services& services() const { return services_; }
  const pipeline::Arrival& arrival() const { return arrival_; }

  void Ended(const grpc::Status& status) override {
    std::chrono::duration<double> spent = Clock::now() - arrival_.time;
    services_.metrics->RequestDone(rpc_, status.error_code(), spent.count());
    LogEnd(rpc_, arrival_.request_id, status, spent.count());
  }

  grpc::Status Crashed(const char* what) override {
    LogCrash(arrival_.request_id, what);
    return {grpc::StatusCode::INTERNAL, "internal error (request " + arrival_.request_id + ", see the log)"};
  }

 private:
  const pipeline::Services& services_;
  const pipeline::Arrival arrival_;
  const telemetry::Rpc rpc_;
};

using UnaryCall = RecordedCall<runtime::ServerCall<grpc::ServerUnaryReactor>>;

}  // namespace pointsman::gateway
