#include "router/classifier/fold.h"

#include <gtest/gtest.h>

namespace pointsman::classifier {
namespace {

std::string Folded(std::string_view text) {
  std::string storage;
  return std::string(Fold(text, storage));
}

TEST(Fold, AsciiStaysWhereItIs) {
  const std::string_view text = "Plain TEXT, 12 marks!";
  std::string storage;
  EXPECT_EQ(Fold(text, storage).data(), text.data());
}

TEST(Fold, OneSpellingForOneLetter) {
  EXPECT_EQ(Folded("Caf\u00E9"), "Cafe");             // ASCII letters are folded by the readers of features
  EXPECT_EQ(Folded("Cafe\u0301"), "Cafe");            // e and a combining accent
  EXPECT_EQ(Folded("\uFF21\uFF22"), "ab");            // full-width letters
  EXPECT_EQ(Folded("\u0391\u0392"), "\u03B1\u03B2");  // Greek capitals
  EXPECT_EQ(Folded("stra\u00DFe"), "strasse");
}

TEST(Fold, InvisibleCharactersGo) {
  EXPECT_EQ(Folded("mal\u200Bware"), "malware");  // zero-width space
  EXPECT_EQ(Folded("a\u00A0b"), "a b");           // no-break space
}

TEST(Fold, IdeographsAndMarksStandAlone) {
  EXPECT_EQ(Folded("\u4F60\u597D"), " \u4F60  \u597D ");
  EXPECT_EQ(Folded("a\u2014b"), "a \u2014 b");
}

TEST(Fold, BytesThatAreNotUtf8AreSpaces) {
  EXPECT_EQ(Folded("a\xFF\xFE"), "a  ");
  EXPECT_EQ(Folded("a\xC3"), "a ");
}

TEST(Fold, NeverMoreThanTwiceAsLong) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "\uFDFA";  // one character that decomposes into eighteen
  EXPECT_LE(Folded(text).size(), 2 * text.size());
}

}  // namespace
}  // namespace pointsman::classifier
