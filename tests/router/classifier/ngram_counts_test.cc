#include "router/classifier/ngram_counts.h"

#include <gtest/gtest.h>

#include "router/classifier/features.h"

namespace pointsman::classifier {
namespace {

TEST(NgramCounts, CountsEachWordAndPairOnceInTheOrderOfTheirRows) {
  std::vector<std::uint32_t> scratch;
  std::vector<NgramCount> counts = {{7, 7}};
  CountNgrams("red fish, red fish!", 2048, 18, scratch, counts);
  std::uint32_t total = 0, twice = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    total += counts[i].count;
    twice += counts[i].count == 2;
    EXPECT_LT(counts[i].row, kNgramGroups << 18);
    EXPECT_TRUE(i == 0 || counts[i - 1].row < counts[i].row);
  }
  EXPECT_EQ(total, 6 + 5);   // words and marks; pairs
  EXPECT_EQ(twice, 2U + 1);  // red, fish; red fish
  CountNgrams("", 2048, 18, scratch, counts);
  EXPECT_TRUE(counts.empty());
}

}  // namespace
}  // namespace pointsman::classifier
