#include "router/runtime/server_call.h"

namespace pointsman::runtime {

grpc::Status StatusOf(Ending ending) {
  switch (ending) {
    case Ending::kNone: break;
    case Ending::kClientGone: return {grpc::StatusCode::CANCELLED, "the client is gone"};
    case Ending::kDeadline: return {grpc::StatusCode::DEADLINE_EXCEEDED, "the deadline passed"};
    case Ending::kShutdown: return {grpc::StatusCode::UNAVAILABLE, "the server is shutting down"};
  }
  return {grpc::StatusCode::INTERNAL, "the call was ended without a reason"};
}

}  // namespace pointsman::runtime
