#include "router/offline/text_similarity.h"

#include <gtest/gtest.h>

#include <cmath>

namespace pointsman::offline {
namespace {

TEST(TextSimilarity, IsOneForTheSameTextAndFallsWithTheWording) {
  const std::vector<std::string_view> texts = {"integrate the function x squared", "integrate the function y cubed",
                                               "who wrote the opera of seville", "who wrote the book of kells"};
  const TextSimilarity similarity(texts);
  const std::vector<float> mine = similarity.CosinesOf(0);
  EXPECT_NEAR(mine[0], 1, 1e-5);
  EXPECT_GT(mine[1], mine[2]);
  EXPECT_NEAR(mine[1], similarity.CosinesOf(1)[0], 1e-6);
  const std::vector<float> again = similarity.Cosines(texts[0]);
  for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_FLOAT_EQ(again[i], mine[i]);
}

TEST(TextSimilarity, ATextWithoutKnownFeaturesIsLikeNone) {
  const std::vector<std::string_view> texts = {"abc def", "abc xyz"};
  const TextSimilarity similarity(texts);
  for (const std::string_view text : {"", "999 !"}) {
    for (const float cosine : similarity.Cosines(text)) EXPECT_EQ(cosine, 0) << text;
  }
}

}  // namespace
}  // namespace pointsman::offline
