// router/gateway/status.h: errors as clients see them: gRPC statuses with google.rpc details (design, section 9).
#pragma once

#include <grpcpp/support/status.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "pointsman/v1/pointsman.pb.h"

namespace pointsman::gateway {

struct FieldViolation {
  std::string field;        // path in the request, as in "messages[0].role"
  std::string description;  // what is wrong, and what would be right
};

// INVALID_ARGUMENT with a google.rpc.BadRequest. `violations` is not empty.
grpc::Status BadRequest(const std::vector<FieldViolation>& violations);

// One failed try, for the details.
struct FailedAttempt {
  std::string expert;
  Error error;
};

// The status of `error`: BadRequest for an invalid argument, RetryInfo where there is a time to come back or a limit,
// one ErrorInfo an attempt, and the partial answer when part of it was delivered. `request_id` goes into internal
// errors.
grpc::Status ToStatus(const Error& error, const std::string& request_id,
                      const std::vector<FailedAttempt>& attempts = {}, const v1::PartialAnswer* partial = nullptr);

}  // namespace pointsman::gateway
