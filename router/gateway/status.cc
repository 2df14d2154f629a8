#include "router/gateway/status.h"

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace pointsman::gateway {
namespace {

constexpr char kDomain[] = "pointsman";
constexpr std::chrono::milliseconds kDefaultRetry{1000};

grpc::Status Finish(google::rpc::Status& rich) {
  return {static_cast<grpc::StatusCode>(rich.code()), rich.message(), rich.SerializeAsString()};
}

const char* Reason(Code code) {
  switch (code) {
    case Code::kCancelled: return "CANCELLED";
    case Code::kInvalidArgument: return "INVALID_ARGUMENT";
    case Code::kDeadlineExceeded: return "DEADLINE_EXCEEDED";
    case Code::kNotFound: return "NOT_FOUND";
    case Code::kPermissionDenied: return "PERMISSION_DENIED";
    case Code::kResourceExhausted: return "RESOURCE_EXHAUSTED";
    case Code::kFailedPrecondition: return "FAILED_PRECONDITION";
    case Code::kAborted: return "ABORTED";
    case Code::kInternal: return "INTERNAL";
    case Code::kUnavailable: return "UNAVAILABLE";
    case Code::kUnauthenticated: return "UNAUTHENTICATED";
  }
  return "UNKNOWN";
}

}  // namespace

grpc::Status BadRequest(const std::vector<FieldViolation>& violations) {
  google::rpc::Status rich;
  rich.set_code(grpc::StatusCode::INVALID_ARGUMENT);
  google::rpc::BadRequest details;
  std::string message;
  for (const FieldViolation& violation : violations) {
    google::rpc::BadRequest::FieldViolation* v = details.add_field_violations();
    v->set_field(violation.field);
    v->set_description(violation.description);
    if (!message.empty()) message += "; ";
    message += violation.field.empty() ? violation.description : violation.field + ": " + violation.description;
  }
  rich.set_message(message);
  rich.add_details()->PackFrom(details);
  return Finish(rich);
}

grpc::Status ToStatus(const Error& error, const std::string& request_id, const std::vector<FailedAttempt>& attempts,
                      const v1::PartialAnswer* partial) {
  if (error.code == Code::kInvalidArgument && attempts.empty()) return BadRequest({{error.field, error.message}});
  google::rpc::Status rich;
  rich.set_code(static_cast<int>(error.code));
  rich.set_message(error.code == Code::kInternal ? error.message + " (request " + request_id + ", see the log)"
                                                 : error.message);
  if (error.code == Code::kInvalidArgument) {
    google::rpc::BadRequest details;
    google::rpc::BadRequest::FieldViolation* v = details.add_field_violations();
    v->set_field(error.field.empty() ? "messages" : error.field);
    v->set_description(error.message);
    rich.add_details()->PackFrom(details);
  }
  if (error.code == Code::kResourceExhausted || error.retry_after.count() > 0) {
    auto delay = error.retry_after.count() > 0 ? error.retry_after : kDefaultRetry;
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(delay.count() / 1000);
    retry.mutable_retry_delay()->set_nanos(static_cast<int>(delay.count() % 1000) * 1'000'000);
    rich.add_details()->PackFrom(retry);
  }
  for (const FailedAttempt& attempt : attempts) {
    google::rpc::ErrorInfo info;
    info.set_reason(Reason(attempt.error.code));
    info.set_domain(kDomain);
    (*info.mutable_metadata())["expert"] = attempt.expert;
    (*info.mutable_metadata())["class"] = Name(attempt.error.error_class);
    (*info.mutable_metadata())["message"] = attempt.error.message;
    if (attempt.error.upstream_status != 0) {
      (*info.mutable_metadata())["upstream_status"] = std::to_string(attempt.error.upstream_status);
    }
    rich.add_details()->PackFrom(info);
  }
  if (partial) rich.add_details()->PackFrom(*partial);
  return Finish(rich);
}

}  // namespace pointsman::gateway
