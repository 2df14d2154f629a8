#include "backends/engine/worker/utf8.h"

#include <gtest/gtest.h>

namespace pointsman::engine {
namespace {

TEST(Utf8, KeepsAnUnfinishedCharacter) {
  Utf8Assembler assembler;
  EXPECT_EQ(assembler.Feed("caf\xC3"), "caf");
  EXPECT_EQ(assembler.held(), 1u);
  EXPECT_EQ(assembler.Feed("\xA9!"), "é!");
  EXPECT_EQ(assembler.Feed("\xF0\x9F"), "");
  EXPECT_EQ(assembler.Feed("\x98"), "");
  EXPECT_EQ(assembler.Feed("\x80"), "\xF0\x9F\x98\x80");
  EXPECT_EQ(assembler.Finish(), "");
}

TEST(Utf8, DoesNotDependOnThePieces) {
  const std::string text = "aé€😀\xED\x95\x9Cz";
  for (std::size_t size = 1; size <= text.size(); ++size) {
    Utf8Assembler assembler;
    std::string out;
    for (std::size_t i = 0; i < text.size(); i += size) out += assembler.Feed(text.substr(i, size));
    EXPECT_EQ(out + assembler.Finish(), text) << size;
  }
}

TEST(Utf8, ReplacesWhatCanNeverBecomeACharacter) {
  EXPECT_EQ(ValidUtf8("a\x80z"), "a\uFFFDz");        // a continuation without a lead
  EXPECT_EQ(ValidUtf8("\xC0\xAF"), "\uFFFD\uFFFD");  // overlong
  EXPECT_EQ(ValidUtf8("\xE0\x80\xAFx"), "\uFFFD\uFFFD\uFFFDx");
  EXPECT_EQ(ValidUtf8("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");  // a surrogate
  EXPECT_EQ(ValidUtf8("\xF4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(ValidUtf8("\xE2\x82z"), "\uFFFDz");  // cut short by another character
}

TEST(Utf8, AnUnfinishedEndIsOneReplacement) {
  Utf8Assembler assembler;
  EXPECT_EQ(assembler.Feed("x\xE2\x82"), "x");
  EXPECT_EQ(assembler.Finish(), "\uFFFD");
  EXPECT_EQ(assembler.Finish(), "");
}

}  // namespace
}  // namespace pointsman::engine
