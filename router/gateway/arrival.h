// router/gateway/arrival.h: what gRPC knows of a call when it arrives.
#pragma once

#include <grpcpp/server_context.h>

#include <string>

#include "config/config.h"
#include "router/pipeline/serve.h"

namespace pointsman::gateway {

inline constexpr char kRequestIdKey[] = "x-request-id";

// Reads the metadata, makes a request id when the client sent none (or one that is no id: longer than 128 characters,
// or with other than printable ASCII), and adds it to the initial metadata of the answer. Any thread, before the call
// starts.
pipeline::Arrival ArrivalOf(grpc::CallbackServerContext& context, const config::Limits& limits);

}  // namespace pointsman::gateway
