#include "router/offline/token_pairs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pointsman::offline {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint64_t Pair(std::uint64_t first, std::uint64_t second) { return first << 32 | second; }

class FrequentPairsTest : public ::testing::Test {
 protected:
  const classifier::WordPieces pieces_{{"a", "b", "c", "##d"}};
  const std::vector<std::string_view> texts_ = {"a b a b", "a b c", "cd", "CD", "a xyz b", "\xC3\xA1 b"};  // á is a
};

TEST_F(FrequentPairsTest, CountsNeighboursWithinATextAndAWord) {
  EXPECT_THAT(FrequentPairs(pieces_, texts_, 10, 1), ElementsAre(Pair(0, 1), Pair(1, 0), Pair(1, 2), Pair(2, 3)));
}

TEST_F(FrequentPairsTest, KeepsTheMostFrequentAndOfEqualOnesTheSmaller) {
  EXPECT_THAT(FrequentPairs(pieces_, texts_, 2, 1), ElementsAre(Pair(0, 1), Pair(2, 3)));
  EXPECT_THAT(FrequentPairs(pieces_, texts_, 3, 1), ElementsAre(Pair(0, 1), Pair(1, 0), Pair(2, 3)));
  EXPECT_THAT(FrequentPairs(pieces_, texts_, 0, 1), IsEmpty());
}

TEST_F(FrequentPairsTest, LeavesRareOnesOut) {
  // "a b" four times; an unknown word between them makes no pair.
  EXPECT_THAT(FrequentPairs(pieces_, texts_, 10, 4), ElementsAre(Pair(0, 1)));
  EXPECT_THAT(FrequentPairs(pieces_, texts_, 10, 5), IsEmpty());
}

}  // namespace
}  // namespace pointsman::offline
