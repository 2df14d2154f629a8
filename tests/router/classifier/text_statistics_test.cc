#include "router/classifier/text_statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace pointsman::classifier {
namespace {

float Of(std::string_view text, std::string_view name) {
  const TextStatistics statistics = StatisticsOf(text, 2048);
  for (std::size_t i = 0; i < kTextStatistics; ++i) {
    if (name == kTextStatisticNames[i]) return statistics[i];
  }
  ADD_FAILURE() << "no statistic " << name;
  return 0;
}
float Log(double count) { return static_cast<float>(std::log1p(count)); }

TEST(TextStatistics, CountsNumbersSentencesAndTheWordsThatMakeAProblemLong) {
  const char* text = "Ann has 12 apples, twice as many as Bob. Each costs $0.50. How many has Bob? 12 or 7?";
  EXPECT_EQ(Of(text, "numbers"), Log(5));  // 12, 0, 50, 12, 7
  EXPECT_EQ(Of(text, "distinct numbers"), Log(4));
  EXPECT_EQ(Of(text, "digits"), Log(8));
  EXPECT_EQ(Of(text, "decimals and fractions"), Log(1));
  EXPECT_EQ(Of(text, "sentences"), Log(4));
  EXPECT_EQ(Of(text, "question marks"), Log(2));
  EXPECT_EQ(Of(text, "ratio words"), Log(1));
  EXPECT_EQ(Of(text, "rate words"), Log(1));
  EXPECT_EQ(Of(text, "dollar signs"), Log(1));
  EXPECT_EQ(Of(text, "options"), 0);
}

TEST(TextStatistics, TellsStemFromOptions) {
  const char* text = "Which is NOT even, except one?\nA. 2\nB. 14\nC. seven or so\nAnswer:";
  EXPECT_EQ(Of(text, "options"), 3);
  EXPECT_FLOAT_EQ(Of(text, "options with digits"), 2.0F / 3);
  EXPECT_FLOAT_EQ(Of(text, "option bytes"), Log((1 + 2 + 11) / 3.0));
  EXPECT_FLOAT_EQ(Of(text, "longest to shortest option"), Log(11) - Log(1));
  EXPECT_EQ(Of(text, "stem bytes"), Log(30));
  EXPECT_EQ(Of(text, "negations"), Log(2));
  EXPECT_EQ(Of(text, "negations in capitals"), Log(1));
  EXPECT_EQ(Of("(A) is no option at the start of a text", "options"), 0);
  EXPECT_EQ(Of("Pick.\n(A) this\n(B) that", "options"), 2);
}

TEST(TextStatistics, AreFiniteWhateverTheBytes) {
  for (const std::string& text : {std::string(), std::string("\n\n\nA. \nB. \n"), std::string(100000, '9'),
                                  std::string(5000, '\xFF'), std::string("\0 \0 .", 5), std::string(3000, '\n')}) {
    for (const float value : StatisticsOf(text, 2048)) EXPECT_TRUE(std::isfinite(value)) << text.substr(0, 20);
  }
}

TEST(TextStatistics, ReadNoMoreThanTheyMay) {
  const std::string middle(3000, '1');
  const std::string head(1024, 'a'), tail(1024, 'b');
  EXPECT_EQ(Of(head + middle + tail, "digits"), 0);
  EXPECT_EQ(Of(head + middle + tail, "stem bytes"), Log(2048));
}

}  // namespace
}  // namespace pointsman::classifier
