#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace pointsman {
namespace {

TEST(Result, HoldsAValue) {
  Result<int> result = 7;
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(*result, 7);
}

TEST(Result, HoldsAnError) {
  Result<int> result = InvalidArgument("messages", "empty");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kInvalidArgument);
  EXPECT_EQ(result.error().error_class, ErrorClass::kCallersFault);
  EXPECT_EQ(result.error().field, "messages");
}

TEST(Result, MovesWhatCannotBeCopied) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(3);
  std::unique_ptr<int> value = *std::move(result);
  EXPECT_EQ(*value, 3);
}

TEST(Result, OfNothingIsOkUnlessItHasAnError) {
  EXPECT_TRUE(Result<void>().ok());
  Result<void> failed = Unavailable("down");
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().message, "down");
}

}  // namespace
}  // namespace pointsman
