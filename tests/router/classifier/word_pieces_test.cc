#include "router/classifier/word_pieces.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pointsman::classifier {
namespace {

using ::testing::ElementsAre;

class WordPiecesTest : public ::testing::Test {
 protected:
  std::vector<int> Numbers(std::string_view text) const {
    std::vector<int> numbers;
    pieces_.Tokenize(text, [&](std::uint32_t piece) {
      numbers.push_back(piece == WordPieces::kUnknown ? -1 : static_cast<int>(piece));
    });
    return numbers;
  }
  //                              0      1       2       3       4     5    6    7       8
  const WordPieces pieces_{{"play", "##ing", "##er", "player", "##s", ".", "", "[UNK]", "\u4F60"}};
};

TEST_F(WordPiecesTest, TakesTheLongestPieceFirst) {
  EXPECT_THAT(Numbers("play"), ElementsAre(0));
  EXPECT_THAT(Numbers("playing"), ElementsAre(0, 1));
  EXPECT_THAT(Numbers("players"), ElementsAre(3, 4));
}

TEST_F(WordPiecesTest, UpperCaseIsLowerCase) { EXPECT_THAT(Numbers("PlayING"), ElementsAre(0, 1)); }

TEST_F(WordPiecesTest, AWordThatCannotBeSpelltIsOneUnknown) {
  EXPECT_THAT(Numbers("playx play"), ElementsAre(-1, 0));
  EXPECT_THAT(Numbers("ing"), ElementsAre(-1));  // only inside a word
}

TEST_F(WordPiecesTest, MarksAreWordsOfTheirOwn) {
  EXPECT_THAT(Numbers("play.play"), ElementsAre(0, 5, 0));
  EXPECT_THAT(Numbers("[UNK]"), ElementsAre(-1, -1, -1));  // a text cannot spell a control token
}

TEST_F(WordPiecesTest, OtherScripts) { EXPECT_THAT(Numbers(" \u4F60 "), ElementsAre(8)); }

TEST_F(WordPiecesTest, LongRunsAreUnknown) {
  EXPECT_THAT(Numbers(std::string(WordPieces::kLongestWord + 1, 'p')), ElementsAre(-1));
  EXPECT_TRUE(Numbers("").empty());
  EXPECT_TRUE(Numbers(" \n\t").empty());
}

}  // namespace
}  // namespace pointsman::classifier
