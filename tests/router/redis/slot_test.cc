#include "router/redis/slot.h"

#include <gtest/gtest.h>

#include <array>

namespace pointsman::redis {
namespace {

// Values of the specification, and of `redis-cli cluster keyslot`.
TEST(Slot, IsThatOfTheSpecification) {
  EXPECT_EQ(SlotOf("123456789"), 0x31C3 % kSlots);
  EXPECT_EQ(SlotOf("foo"), 12182);
  EXPECT_EQ(SlotOf(""), 0);
}

TEST(Slot, CountsWhatIsInBraces) {
  EXPECT_EQ(SlotOf("{user1000}.following"), SlotOf("user1000"));
  EXPECT_EQ(SlotOf("a:{user1000}.followers"), SlotOf("user1000"));
  EXPECT_EQ(SlotOf("foo{bar}{zap}"), SlotOf("bar"));
  EXPECT_EQ(SlotOf("foo{{bar}}zap"), SlotOf("{bar"));
  EXPECT_NE(SlotOf("foo{}{bar}"), SlotOf("bar"));  // an empty pair: the whole key counts
  EXPECT_NE(SlotOf("foo{bar"), SlotOf("bar"));
}

TEST(Slot, FindsTheKeyOfACommand) {
  const std::array<std::string_view, 3> set = {"SET", "key", "value"};
  const std::array<std::string_view, 5> eval = {"EVAL", "return 1", "1", "key", "argument"};
  const std::array<std::string_view, 1> ping = {"PING"};
  EXPECT_EQ(KeyOf(set), "key");
  EXPECT_EQ(KeyOf(eval), "key");
  EXPECT_EQ(KeyOf(ping), "");
}

}  // namespace
}  // namespace pointsman::redis
