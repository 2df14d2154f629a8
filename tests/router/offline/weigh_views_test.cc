#include "router/offline/weigh_views.h"

#include <gtest/gtest.h>

#include <cmath>

#include "router/offline/random.h"

namespace pointsman::offline {
namespace {

double Uniform(SplitMix& random) { return static_cast<double>(random.Below(1'000'000)) / 1e6; }

// `truth` is drawn from softmax(sum of weight * view), so the weights are what must be found.
struct Data {
  std::vector<View> views;
  std::vector<std::uint32_t> truth;
};

Data Draw(const std::vector<double>& weights, std::size_t rows, std::size_t categories) {
  SplitMix random(7);
  Data data{std::vector<View>(weights.size()), {}};
  for (std::size_t i = 0; i < rows; ++i) {
    std::vector<double> p(categories);
    for (std::size_t v = 0; v < weights.size(); ++v) {
      for (std::size_t c = 0; c < categories; ++c) {
        data.views[v].push_back(static_cast<float>(4 * Uniform(random)));
        p[c] += weights[v] * data.views[v].back();
      }
    }
    double total = 0;
    for (double& value : p) total += value = std::exp(value);
    double left = Uniform(random) * total;
    std::uint32_t drawn = 0;
    while (drawn + 1 < categories && left > p[drawn]) left -= p[drawn++];
    data.truth.push_back(drawn);
  }
  return data;
}

TEST(WeighViews, FindsTheWeightsThatMadeTheRows) {
  const Data data = Draw({0.5, 1.5}, 20000, 4);
  const std::vector<float> found = WeighViews(data.views, 4, data.truth);
  EXPECT_NEAR(found[0], 0.5, 0.06);
  EXPECT_NEAR(found[1], 1.5, 0.06);
}

TEST(WeighViews, AUselessViewWeighsNothing) {
  const Data data = Draw({1, -1}, 20000, 4);  // the second one speaks against the truth
  const std::vector<float> found = WeighViews(data.views, 4, data.truth);
  EXPECT_GT(found[0], 0.5);  // under 1, as what the second one says is noise to it
  EXPECT_EQ(found[1], 0);
}

TEST(WeighViews, OneViewIsATemperature) {
  const Data data = Draw({0.4}, 20000, 3);
  EXPECT_NEAR(WeighViews(data.views, 3, data.truth)[0], 0.4, 0.03);
}

}  // namespace
}  // namespace pointsman::offline
