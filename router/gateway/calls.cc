#include "router/gateway/calls.h"

#include "router/gateway/status.h"
#include "router/telemetry/log.h"

namespace pointsman::gateway {
namespace {

const char* NameOf(telemetry::Rpc rpc) {
  switch (rpc) {
    case telemetry::Rpc::kComplete: return "Complete";
    case telemetry::Rpc::kStreamComplete: return "StreamComplete";
    case telemetry::Rpc::kRoute: return "Route";
    case telemetry::Rpc::kListExperts: return "ListExperts";
    case telemetry::Rpc::kGetStatus: return "GetStatus";
    case telemetry::Rpc::kPurgeCache: return "PurgeCache";
  }
  return "?";
}

}  // namespace

std::optional<grpc::Status> RefuseUnlessAdmin(const config::Config& config, const pipeline::Arrival& arrival) {
  Result<admission::Caller> caller = admission::Authenticate(config, arrival.authorization);
  if (!caller) return ToStatus(caller.error(), arrival.request_id);
  if (caller->admin) return std::nullopt;
  return grpc::Status(grpc::StatusCode::PERMISSION_DENIED,
                      "the tenant '" + caller->tenant + "' is no admin (tenants." + caller->tenant + ".admin)");
}

void LogEnd(telemetry::Rpc rpc, const std::string& request_id, const grpc::Status& status, double seconds) {
  bool usual = status.ok() || status.error_code() == grpc::StatusCode::CANCELLED;
  telemetry::Level level = usual ? telemetry::Level::kDebug : telemetry::Level::kInfo;
  if (!telemetry::LogEnabled(level)) return;
  telemetry::Log(level, "call ended",
                 {{"rpc", NameOf(rpc)},
                  {"request_id", request_id},
                  {"status", static_cast<int>(status.error_code())},
                  {"error", status.error_message()},
                  {"milliseconds", seconds * 1e3}});
}

void LogCrash(const std::string& request_id, const char* what) {
  telemetry::Log(telemetry::Level::kError, "a bug: an exception ended a call",
                 {{"request_id", request_id}, {"what", what}});
}

}  // namespace pointsman::gateway
