#include "config/names.h"

#include <gtest/gtest.h>

namespace pointsman::config {
namespace {

TEST(EditDistance, CountsInsertionsDeletionsReplacementsAndSwaps) {
  EXPECT_EQ(EditDistance("", ""), 0u);
  EXPECT_EQ(EditDistance("", "abc"), 3u);
  EXPECT_EQ(EditDistance("abc", ""), 3u);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
  EXPECT_EQ(EditDistance("listen", "lsiten"), 1u);
  EXPECT_EQ(EditDistance("ca", "abc"), 3u) << "optimal string alignment edits no part twice";
}

TEST(Nearest, FindsWhatWasMeantAndNothingElse) {
  const std::string_view known[] = {"temperature", "top_p", "top_k", "stop"};
  EXPECT_EQ(Nearest("temprature", known), "temperature");
  EXPECT_EQ(Nearest("tmperatrue", known), "temperature");
  EXPECT_EQ(Nearest("topp", known), "top_p");
  EXPECT_EQ(Nearest("frequency", known), "");
  EXPECT_EQ(Nearest("x", known), "") << "every letter would change";
  EXPECT_EQ(Nearest(std::string(10'000, 'x'), known), "");
}

TEST(Suggest, NamesTheNearestOrAll) {
  const std::string_view known[] = {"alpha", "beta"};
  EXPECT_EQ(Suggest("alfa", known, "known"), "did you mean \"alpha\"?");
  EXPECT_EQ(Suggest("quantum", known, "known"), "known: alpha, beta");
  EXPECT_EQ(Suggest("quantum", {}, "known"), "known: none");
}

TEST(Quote, KeepsAMessageOnOneLine) {
  EXPECT_EQ(Quote("a\"b\n\x7f"), "\"a\\\"b\\x0a\\x7f\"");
  EXPECT_EQ(Quote(std::string(100, 'x')), "\"" + std::string(80, 'x') + "...\"");
}

}  // namespace
}  // namespace pointsman::config
