#include "base/hex.h"

#include <gtest/gtest.h>

#include <array>

namespace pointsman {
namespace {

TEST(Hex, AppendsTwoLowerCaseDigitsForEachByte) {
  std::string out = "x:";
  AppendHex(std::array<std::uint8_t, 4>{0x00, 0x0f, 0xa5, 0xff}, out);
  EXPECT_EQ(out, "x:000fa5ff");
  AppendHex({}, out);
  EXPECT_EQ(out, "x:000fa5ff");
}

}  // namespace
}  // namespace pointsman
