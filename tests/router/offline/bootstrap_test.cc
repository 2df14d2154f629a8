#include "router/offline/bootstrap.h"

#include <gtest/gtest.h>

#include <vector>

namespace pointsman::offline {
namespace {

TEST(Bootstrap, MeetsTheNormalIntervalOnManyRows) {
  std::vector<double> values(1000, 0);
  for (std::size_t i = 0; i < 300; ++i) values[i] = 1;
  const Interval interval = BootstrapMean(values);
  const double half = 1.96 * 0.4583 / 31.62;  // 1.96 sqrt(0.3 0.7 / 1000)
  EXPECT_NEAR(interval.low, 0.3 - half, 0.004);
  EXPECT_NEAR(interval.high, 0.3 + half, 0.004);
  EXPECT_EQ(BootstrapMean(values).low, interval.low);  // no chance in it
}

TEST(Bootstrap, OfEqualValuesIsAPoint) {
  const Interval interval = BootstrapMean(std::vector<double>{0.5});
  EXPECT_EQ(interval.low, 0.5);
  EXPECT_EQ(interval.high, 0.5);
}

}  // namespace
}  // namespace pointsman::offline
