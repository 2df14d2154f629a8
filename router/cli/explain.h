// router/cli/explain.h: traces and errors in a form that people read.
#pragma once

#include <grpcpp/support/status.h>

#include <string>

#include "pointsman/v1/trace.pb.h"

namespace pointsman::cli {

// Several lines, without colour.
std::string Explain(const v1::Trace& trace);

// "UNAVAILABLE: every expert failed: ..." and one line for each detail.
std::string ExplainError(const grpc::Status& status);

}  // namespace pointsman::cli
