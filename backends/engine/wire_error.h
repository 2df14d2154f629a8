// backends/engine/wire_error.h: errors between worker and router. A gRPC status has no room for the class of an error
// and for the field at fault: they travel in its details, as "class=N;field=F".
#pragma once

#include <grpcpp/support/status.h>

#include "base/result.h"

namespace pointsman::engine {

grpc::Status ToWire(const Error& error);

// The opposite, for statuses that ToWire made. Others (the transport's own) get a class by their code: UNAVAILABLE and
// what a dying worker leaves behind become retryable elsewhere.
Error FromWire(const grpc::Status& status);

}  // namespace pointsman::engine
