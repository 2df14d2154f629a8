#include "router/offline/text_form.h"

#include <gtest/gtest.h>

#include <cmath>

namespace pointsman::offline {
namespace {

TEST(TextForm, CountsWhatIsThere) {
  const FormFeatures form = FormOf("Is 12+3 = 15?\nA");  // 15 bytes
  EXPECT_FLOAT_EQ(form[0], std::log(15.0F));
  EXPECT_FLOAT_EQ(form[1], 5.0F / 15);
  EXPECT_FLOAT_EQ(form[3], std::log(2.0F));
  EXPECT_EQ(form[4], 0);
  EXPECT_FLOAT_EQ(form[5], 2.0F / 15);
  EXPECT_EQ(form[6], 1);
  EXPECT_FLOAT_EQ(form[7], std::log(6.0F / 15));  // Is, 12, 3, 15, A
  EXPECT_FLOAT_EQ(form[10], 2.0F / 15);
  EXPECT_EQ(FormOf("$x$ is ____")[4], 1);
  EXPECT_EQ(FormOf("$x$ is ____")[9], 1);
  EXPECT_EQ(FormOf("")[0], 0);
}

TEST(TextForm, TheScaleCentresAndCuts) {
  const std::vector<std::string_view> texts = {"aa", "bb 1", "cc 22", "dddd"};
  const FormScale scale(texts);
  double sum = 0;
  for (const std::string_view text : texts) sum += scale(text)[2];
  EXPECT_NEAR(sum, 0, 1e-5);
  EXPECT_EQ(scale("a")[4], 0);  // no text has TeX
  EXPECT_EQ(scale(std::string(500, '7'))[2], 3);
}

}  // namespace
}  // namespace pointsman::offline
