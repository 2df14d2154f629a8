#include "router/classifier/features.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pointsman::classifier {
namespace {

std::vector<std::string> Read(std::string_view text, Group group, std::size_t max_bytes = 4096) {
  std::vector<std::string> found;
  StreamFeatures(text, max_bytes, [&](const Feature& feature) {
    if (feature.group != group) return;
    std::string name(feature.first);
    if (group == Group::kPair) name.append("|").append(feature.second);
    found.push_back(name);
  });
  return found;
}

TEST(Features, WordsAreLettersNumbersAndMarks) {
  EXPECT_EQ(Read("What's 17*1234567?", Group::kWord),
            (std::vector<std::string>{"what", "'", "s", "00", "*", "00000", "?"}));
}

TEST(Features, TextThatIsNotAsciiIsFolded) {
  EXPECT_EQ(Read("Größe \xFF\xFE Ж", Group::kWord), (std::vector<std::string>{"grosse", "ж"}));
}

TEST(Features, PairsAreNeighbours) {
  EXPECT_EQ(Read("a big dog", Group::kPair), (std::vector<std::string>{"a|big", "big|dog"}));
}

TEST(Features, CharacterRunsHaveThreeToFiveBytesAndMarkTheEnds) {
  EXPECT_EQ(Read("Cats", Group::kCharacters),
            (std::vector<std::string>{"<ca", "<cat", "<cats", "cat", "cats", "cats>", "ats", "ats>", "ts>"}));
  EXPECT_EQ(Read("a", Group::kCharacters), (std::vector<std::string>{"<a>"}));
}

TEST(Features, ALongRunOfLettersGoesOnAsTheNextToken) {
  const auto words = Read(std::string(100, 'x'), Group::kWord);
  ASSERT_EQ(words.size(), 2U);
  EXPECT_EQ(words[0].size(), kTokenBytes);
  EXPECT_EQ(words[1].size(), 100 - kTokenBytes);
}

TEST(Features, ALongTextIsReadAtBothEnds) {
  const std::string text = "first " + std::string(100000, ' ') + " last";
  EXPECT_EQ(Read(text, Group::kWord, 64), (std::vector<std::string>{"first", "last"}));
  EXPECT_TRUE(Read(text, Group::kPair, 64).empty());  // nothing spans the gap
  EXPECT_EQ(StreamFeatures(text, 64, [](const Feature&) {}), 64U);
  EXPECT_EQ(StreamFeatures("short", 64, [](const Feature&) {}), 5U);
}

TEST(Features, RowsLieInTheirGroup) {
  for (const std::uint32_t bits : {8U, 16U, 22U}) {
    StreamFeatures("The quick brown fox jumps over 13 lazy dogs!", 4096, [&](const Feature& feature) {
      EXPECT_EQ(feature.Row(bits) >> bits, static_cast<std::uint32_t>(feature.group));
    });
  }
}

// The buckets are part of the artifact's format: a change would make every artifact useless without saying so.
TEST(Features, RowsAreThoseOfFormatOne) {
  std::vector<std::uint32_t> rows;
  StreamFeatures("Hi 5", 4096, [&](const Feature& feature) { rows.push_back(feature.Row(16)); });
  EXPECT_EQ(rows, (std::vector<std::uint32_t>{62523, 162063, 175582, 183480, 24898, 130022, 181373}));
}

TEST(Features, NeverMoreThanThePromisedNumber) {  // what the int32 sums of the classifier rely on
  for (const std::string_view unit : {"a", ".", "1 ", "ab ", "xyz", "a.b"}) {
    std::string text;
    while (text.size() < 4096) text += unit;
    std::size_t count = 0;
    StreamFeatures(text, 4096, [&](const Feature&) { ++count; });
    EXPECT_LE(count, 4 * text.size()) << unit;
  }
}

}  // namespace
}  // namespace pointsman::classifier
