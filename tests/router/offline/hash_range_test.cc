#include "router/offline/hash_range.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pointsman::offline {
namespace {

TEST(HashRange, HoldsTheHashesFromTheFirstToBeforeTheLast) {
  const auto range = ParseHashRange("10:50");
  ASSERT_TRUE(range && *range);
  const auto in = [&](std::string_view hash) { return *InRange(hash, **range); };
  EXPECT_TRUE(in("0000000aff"));  // 10
  EXPECT_TRUE(in("00000031"));    // 49
  EXPECT_FALSE(in("00000032"));   // 50
  EXPECT_FALSE(in("00000009"));
  EXPECT_TRUE(in("0000006E"));  // 110
}

TEST(HashRange, RefusesWhatIsNoHashAndNoRange) {
  for (const char* hash : {"", "0000000", "0000000g", "-0000001", "0x000001"}) {
    const auto result = InRange(hash, {});
    ASSERT_FALSE(result) << hash;
    EXPECT_THAT(result.error().message, ::testing::HasSubstr("8 hexadecimal digits"));
  }
  EXPECT_FALSE(*ParseHashRange(""));
  for (const char* text : {"5", "5:", "5:5", "9:3", "0:101", "a:b"}) EXPECT_FALSE(ParseHashRange(text)) << text;
}

}  // namespace
}  // namespace pointsman::offline
