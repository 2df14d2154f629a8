#include "config/units.h"

#include <gtest/gtest.h>

namespace pointsman::config {
namespace {

using std::chrono::milliseconds;

TEST(Durations, CarryTheirUnit) {
  EXPECT_EQ(ParseDuration("500ms"), milliseconds(500));
  EXPECT_EQ(ParseDuration("30s"), milliseconds(30'000));
  EXPECT_EQ(ParseDuration("10m"), milliseconds(600'000));
  EXPECT_EQ(ParseDuration("2 h"), milliseconds(7'200'000));
  EXPECT_EQ(ParseDuration("0"), milliseconds(0));
  for (const char* text : {"", "30", "s", "-1s", "1.5s", "1d", "1s ", "1  s", "1sec", "9999999999999999h"}) {
    EXPECT_FALSE(ParseDuration(text)) << text;
  }
}

TEST(Sizes, CarryTheirUnit) {
  EXPECT_EQ(ParseSize("64MiB"), std::uint64_t{64} << 20);
  EXPECT_EQ(ParseSize("1KB"), 1000u);
  EXPECT_EQ(ParseSize("7B"), 7u);
  for (const char* text : {"", "64", "MiB", "64mib", "64M", "99999999999GiB"}) EXPECT_FALSE(ParseSize(text)) << text;
}

TEST(Units, WhatIsFormattedReadsBack) {
  for (const std::int64_t ms : {0, 1, 500, 1000, 90'000, 3'600'000, 5'400'000}) {
    EXPECT_EQ(ParseDuration(FormatDuration(milliseconds(ms))), milliseconds(ms));
  }
  for (const std::uint64_t bytes : {0u, 1u, 1000u, 1024u, 1u << 20, 3u << 30})
    EXPECT_EQ(ParseSize(FormatSize(bytes)), bytes);
  EXPECT_EQ(FormatDuration(milliseconds(3'600'000)), "1h");
  EXPECT_EQ(FormatSize(20 << 20), "20MiB");
  EXPECT_EQ(FormatNumber(0.1), "0.1");
}

TEST(Numbers, AreWhollyNumbers) {
  EXPECT_EQ(ParseWhole("18446744073709551615"), 18446744073709551615u);
  for (const char* text : {"", "-1", "+1", " 1", "1 ", "1.0", "0x1", "18446744073709551616"})
    EXPECT_FALSE(ParseWhole(text)) << text;
  EXPECT_EQ(ParseNumber("-1.5e1"), -15);
  for (const char* text : {"", "nan", "inf", "1e999", "1,5", "1 ", "one"}) EXPECT_FALSE(ParseNumber(text)) << text;
}

}  // namespace
}  // namespace pointsman::config
