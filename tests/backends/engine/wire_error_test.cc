#include "backends/engine/wire_error.h"

#include <gtest/gtest.h>

namespace pointsman::engine {
namespace {

TEST(WireError, KeepsClassCodeMessageAndField) {
  for (const ErrorClass error_class :
       {ErrorClass::kRetryElsewhere, ErrorClass::kCallersFault, ErrorClass::kCancelled, ErrorClass::kInternal}) {
    Error error(error_class, Code::kInvalidArgument, "what is wrong");
    error.field = "response_format.grammar";
    const Error back = FromWire(ToWire(error));
    EXPECT_EQ(back.error_class, error_class);
    EXPECT_EQ(back.code, Code::kInvalidArgument);
    EXPECT_EQ(back.message, "what is wrong");
    EXPECT_EQ(back.field, "response_format.grammar");
  }
}

TEST(WireError, ABrokenConnectionIsTheWorkersEnd) {
  for (const grpc::StatusCode code : {grpc::StatusCode::UNAVAILABLE, grpc::StatusCode::CANCELLED,
                                      grpc::StatusCode::UNKNOWN, grpc::StatusCode::INTERNAL}) {
    const Error error = FromWire({code, "Socket closed"});
    EXPECT_EQ(error.error_class, ErrorClass::kRetryElsewhere);
    EXPECT_EQ(error.code, Code::kUnavailable);
    EXPECT_NE(error.message.find("the engine worker ended"), std::string::npos);
    EXPECT_NE(error.message.find("Socket closed"), std::string::npos);
  }
}

TEST(WireError, TheCallsOwnDeadlineIsACancellation) {
  const Error error = FromWire({grpc::StatusCode::DEADLINE_EXCEEDED, "Deadline Exceeded"});
  EXPECT_EQ(error.error_class, ErrorClass::kCancelled);
  EXPECT_EQ(error.code, Code::kDeadlineExceeded);
}

}  // namespace
}  // namespace pointsman::engine
