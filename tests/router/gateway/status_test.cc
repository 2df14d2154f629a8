#include "router/gateway/status.h"

#include <gtest/gtest.h>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace pointsman::gateway {
namespace {

google::rpc::Status Rich(const grpc::Status& status) {
  google::rpc::Status rich;
  EXPECT_TRUE(rich.ParseFromString(status.error_details()));
  EXPECT_EQ(rich.code(), status.error_code());
  EXPECT_EQ(rich.message(), status.error_message());
  return rich;
}

TEST(Status, BadRequestNamesEveryField) {
  grpc::Status status = BadRequest({{"messages", "empty"}, {"sampling.top_p", "2 is out of range"}});
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "messages: empty; sampling.top_p: 2 is out of range");
  google::rpc::BadRequest details;
  auto rich = Rich(status);
  ASSERT_EQ(rich.details_size(), 1);
  ASSERT_TRUE(rich.details(0).UnpackTo(&details));
  ASSERT_EQ(details.field_violations_size(), 2);
  EXPECT_EQ(details.field_violations(1).field(), "sampling.top_p");
}

TEST(Status, LimitsSayWhenToComeBack) {
  Error error(ErrorClass::kRetryElsewhere, Code::kResourceExhausted, "full");
  error.retry_after = std::chrono::milliseconds(2500);
  auto rich = Rich(ToStatus(error, "r1"));
  google::rpc::RetryInfo retry;
  ASSERT_EQ(rich.details_size(), 1);
  ASSERT_TRUE(rich.details(0).UnpackTo(&retry));
  EXPECT_EQ(retry.retry_delay().seconds(), 2);
  EXPECT_EQ(retry.retry_delay().nanos(), 500'000'000);
}

TEST(Status, EveryAttemptIsNamed) {
  Error refused = Unavailable("connection refused");
  Error overloaded = Unavailable("HTTP 503");
  overloaded.upstream_status = 503;
  auto rich = Rich(ToStatus(Unavailable("every expert failed"), "r1", {{"a", refused}, {"b", overloaded}}));
  ASSERT_EQ(rich.details_size(), 2);
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(rich.details(1).UnpackTo(&info));
  EXPECT_EQ(info.reason(), "UNAVAILABLE");
  EXPECT_EQ(info.domain(), "pointsman");
  EXPECT_EQ(info.metadata().at("expert"), "b");
  EXPECT_EQ(info.metadata().at("upstream_status"), "503");
}

TEST(Status, InternalErrorsNameTheRequest) {
  EXPECT_NE(ToStatus(Internal("oops"), "r77").error_message().find("r77"), std::string::npos);
}

TEST(Status, ABrokenStreamCarriesWhatWasDelivered) {
  v1::PartialAnswer partial;
  partial.set_deltas(3);
  auto rich = Rich(ToStatus(Unavailable("reset"), "r1", {{"a", Unavailable("reset")}}, &partial));
  ASSERT_EQ(rich.details_size(), 2);
  v1::PartialAnswer got;
  ASSERT_TRUE(rich.details(1).UnpackTo(&got));
  EXPECT_EQ(got.deltas(), 3u);
}

}  // namespace
}  // namespace pointsman::gateway
