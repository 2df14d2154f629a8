#include "base/result.h"

namespace pointsman {

const char* Name(ErrorClass error_class) {
  switch (error_class) {
    case ErrorClass::kRetryElsewhere: return "retryable_elsewhere";
    case ErrorClass::kRetryHere: return "retryable_here";
    case ErrorClass::kCallersFault: return "callers_fault";
    case ErrorClass::kCancelled: return "cancelled";
    case ErrorClass::kInternal: return "internal";
  }
  return "internal";
}

Error InvalidArgument(std::string field, std::string message) {
  Error error(ErrorClass::kCallersFault, Code::kInvalidArgument, std::move(message));
  error.field = std::move(field);
  return error;
}

Error Unavailable(std::string message) { return {ErrorClass::kRetryElsewhere, Code::kUnavailable, std::move(message)}; }

Error Cancelled(std::string message) { return {ErrorClass::kCancelled, Code::kCancelled, std::move(message)}; }

Error DeadlineExceeded(std::string message) {
  return {ErrorClass::kCancelled, Code::kDeadlineExceeded, std::move(message)};
}

Error Internal(std::string message) { return {ErrorClass::kInternal, Code::kInternal, std::move(message)}; }

}  // namespace pointsman
