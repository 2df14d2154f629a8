#include "backends/engine/wire_error.h"

#include <charconv>
#include <string>
#include <string_view>

namespace pointsman::engine {
namespace {

constexpr std::string_view kClass = "class=", kField = ";field=";

}  // namespace

grpc::Status ToWire(const Error& error) {
  std::string details(kClass);
  details += std::to_string(static_cast<int>(error.error_class));
  details += kField;
  details += error.field;
  return {static_cast<grpc::StatusCode>(error.code), error.message, details};
}

Error FromWire(const grpc::Status& status) {
  const std::string details = status.error_details();
  const std::size_t field = details.find(kField);
  if (details.starts_with(kClass) && field != std::string::npos) {
    int error_class = 0;
    std::from_chars(details.data() + kClass.size(), details.data() + field, error_class);
    Error error(static_cast<ErrorClass>(error_class), static_cast<Code>(status.error_code()), status.error_message());
    error.field = details.substr(field + kField.size());
    return error;
  }
  // Not of our making: the transport's own.
  switch (status.error_code()) {
    case grpc::StatusCode::DEADLINE_EXCEEDED: return DeadlineExceeded("the deadline passed during generation");
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return {ErrorClass::kRetryElsewhere, Code::kResourceExhausted, "the engine worker: " + status.error_message()};
    // The connection broke, or the worker was shutting down: nobody on our side cancels and then reads on.
    default: return Unavailable("the engine worker ended while it answered (" + status.error_message() + ")");
  }
}

}  // namespace pointsman::engine
