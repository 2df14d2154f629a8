// base/result.h: values or typed errors. The data path returns these; exceptions are for start-up and for the
// cancellation of coroutines.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace pointsman {

// What can be done about a failure. It is decided once, where the failure is seen first (design, section 6).
enum class ErrorClass {
  kRetryElsewhere,  // another expert may succeed
  kRetryHere,       // the same expert may succeed at once: a connection that went away before it answered
  kCallersFault,    // it will fail everywhere
  kCancelled,       // nobody waits for it any more: client gone, or deadline passed
  kInternal,        // a bug of ours
};

// The gRPC status that the client gets. Values are those of grpc::StatusCode, so that policies need no gRPC header.
enum class Code {
  kCancelled = 1,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kInternal = 13,
  kUnavailable = 14,
  kUnauthenticated = 16,
};

// The names in traces and metric labels: "retryable_elsewhere", ...
const char* Name(ErrorClass error_class);

struct Error {
  ErrorClass error_class = ErrorClass::kInternal;
  Code code = Code::kInternal;
  std::string message;                       // says what is wrong and, where it can, the mend
  std::string field;                         // the request's field at fault, as in "messages[2].role"; often empty
  std::chrono::milliseconds retry_after{0};  // > 0: do not come back before
  int upstream_status = 0;                   // HTTP status of a remote expert, 0 where there is none

  Error() = default;
  Error(ErrorClass c, Code s, std::string text) : error_class(c), code(s), message(std::move(text)) {}
};

// Named constructors for the frequent ones.
Error InvalidArgument(std::string field, std::string message);  // the caller's fault
Error Unavailable(std::string message);                         // retryable elsewhere
Error Cancelled(std::string message);
Error DeadlineExceeded(std::string message);
Error Internal(std::string message);

// Either a T or an Error. Not thread-safe; moves as T moves.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit, so that `return x;` reads well
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: likewise

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // Only when ok().
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // Only when not ok().
  Error& error() & { return std::get<1>(state_); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

// A Result without a value.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit, as above

  bool ok() const { return !error_; }
  explicit operator bool() const { return ok(); }
  const Error& error() const& { return *error_; }
  Error&& error() && { return *std::move(error_); }

 private:
  std::optional<Error> error_;
};

}  // namespace pointsman
