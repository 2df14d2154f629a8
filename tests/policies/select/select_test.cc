#include "policies/select/select.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "policies/select/affordable.h"
#include "policies/select/mass_controller.h"
#include "policies/select/top_p.h"

namespace pointsman::select {
namespace {

constexpr int kCases = 10'000;

// A distribution over 1 to 12 outcomes, sorted, sometimes with vanishing ones.
std::vector<double> RandomDistribution(std::mt19937_64& random) {
  std::vector<double> p(1 + random() % 12);
  std::exponential_distribution<double> draw;
  for (double& value : p) value = random() % 8 == 0 ? 0 : std::pow(draw(random), 1 + static_cast<double>(random() % 4));
  p[0] += 1e-3;
  const double sum = std::accumulate(p.begin(), p.end(), 0.0);
  for (double& value : p) value /= sum;
  std::sort(p.begin(), p.end(), std::greater<>());
  return p;
}

TEST(TopP, KeepsOneExpertHoweverSmallTheMass) {
  std::mt19937_64 random(1);
  for (int i = 0; i < kCases; ++i) EXPECT_EQ(CountToReach({1e-12, 8}, RandomDistribution(random)), 1U);
}

TEST(TopP, IsTheSmallestSetThatReachesTheMass) {
  std::mt19937_64 random(2);
  std::uniform_real_distribution<double> mass(1e-6, 1);
  for (int i = 0; i < kCases; ++i) {
    const std::vector<double> p = RandomDistribution(random);
    const double wanted = mass(random);
    const std::size_t count = CountToReach({wanted, 100}, p);
    ASSERT_GE(count, 1U);
    const double reached = std::accumulate(p.begin(), p.begin() + static_cast<std::ptrdiff_t>(count), 0.0);
    EXPECT_GE(reached, wanted - 1e-9);
    if (count > 1) {
      EXPECT_LT(reached - p[count - 1], wanted);
    }
  }
}

TEST(TopP, GrowsWithTheMassAndNeverPassesTheCap) {
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> mass(1e-6, 1);
  for (int i = 0; i < kCases; ++i) {
    const std::vector<double> p = RandomDistribution(random);
    const double a = mass(random), b = mass(random);
    const std::size_t cap = 1 + random() % 6;
    EXPECT_LE(CountToReach({std::min(a, b), cap}, p), CountToReach({std::max(a, b), cap}, p));
    EXPECT_LE(CountToReach({std::max(a, b), cap}, p), cap);
  }
}

TEST(TopP, MeetsThePaperOnItsOwnEdgeCases) {
  EXPECT_EQ(CountToReach({0.4, 3}, std::vector<double>{0.4, 0.3, 0.3}), 1U);           // reached exactly
  EXPECT_EQ(CountToReach({0.5, 3}, std::vector<double>{0.25, 0.25, 0.25, 0.25}), 2U);  // ties
  // Rounding leaves the sum below 1: the paper's code would keep everybody, of whom the last ones add nothing.
  EXPECT_EQ(CountToReach({1, 9}, std::vector<double>{0.7, 0.1, 0.1, 0.1, 0, 0}), 4U);
  EXPECT_EQ(CountToReach({0.4, 3}, std::vector<double>{}), 0U);
}

TEST(BestAffordable, IsTheBestOfAllSubsets) {
  std::mt19937_64 random(4);
  std::uniform_real_distribution<double> unit(0, 1);
  for (int i = 0; i < kCases; ++i) {
    std::vector<double> p = RandomDistribution(random);
    if (p.size() > 8) p.resize(8);
    std::vector<Costs> costs(p.size());
    for (Costs& cost : costs) cost = {unit(random), unit(random)};
    const Ceilings ceilings = {2 * unit(random), 2 * unit(random)};
    const std::size_t most = 1 + random() % 5;
    double best = 0;
    for (std::uint32_t mask = 1; mask < 1U << p.size(); ++mask) {
      double sum = 0, price = 0, energy = 0;
      std::size_t members = 0;
      for (std::size_t e = 0; e < p.size(); ++e) {
        if (!(mask >> e & 1)) continue;
        ++members;
        sum += p[e];
        price += costs[e].price;
        energy += costs[e].energy;
      }
      if (members <= most && price <= ceilings.price && energy <= ceilings.energy) best = std::max(best, sum);
    }
    double sum = 0, price = 0, energy = 0;
    const std::vector<std::size_t> set = BestAffordable(p, costs, ceilings, most);
    for (const std::size_t member : set) {
      sum += p[member];
      price += costs[member].price;
      energy += costs[member].energy;
    }
    EXPECT_NEAR(sum, best, 1e-9);
    EXPECT_LE(price, ceilings.price + 1e-9);
    EXPECT_LE(energy, ceilings.energy + 1e-9);
    EXPECT_LE(set.size(), most);
  }
}

TEST(ToProbabilities, AreASoftmaxThatNeitherShiftsNorOverflows) {
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> score(-800, 800);
  for (int i = 0; i < kCases; ++i) {
    std::vector<policies::Candidate> candidates(1 + random() % 10);
    for (policies::Candidate& c : candidates) c.score = score(random);
    std::sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
    config::Selection rule;
    rule.temperature = 0.1 + static_cast<double>(random() % 100);
    std::vector<policies::Candidate> shifted = candidates;
    for (policies::Candidate& c : shifted) c.score += 100;
    ToProbabilities(rule, false, candidates);
    ToProbabilities(rule, false, shifted);
    double sum = 0;
    for (std::size_t c = 0; c < candidates.size(); ++c) {
      sum += candidates[c].probability;
      EXPECT_NEAR(candidates[c].probability, shifted[c].probability, 1e-9);
      if (c > 0) {
        EXPECT_LE(candidates[c].probability, candidates[c - 1].probability);
      }
    }
    EXPECT_NEAR(sum, 1, 1e-9);
  }
}

// The mean size of top-p sets over some traffic under the controller; the smaller `hardness`, the flatter the
// distributions.
double MeanSize(MassController& controller, std::mt19937_64& random, double hardness, int requests) {
  double sum = 0;
  for (int i = 0; i < requests; ++i) {
    std::vector<double> p(10);
    std::exponential_distribution<double> draw;
    for (double& value : p) value = std::pow(draw(random), hardness);
    const double total = std::accumulate(p.begin(), p.end(), 0.0);
    for (double& value : p) value /= total;
    std::sort(p.begin(), p.end(), std::greater<>());
    const std::size_t size = CountToReach({controller.mass(), 8}, p);
    controller.Observe(size);
    sum += static_cast<double>(size);
  }
  return sum / requests;
}

TEST(MassController, HoldsTheMeanThroughAShiftOfTraffic) {
  for (const double target : {1.3, 2.0}) {
    std::mt19937_64 random(6);
    MassController controller(target, 0.4);
    MeanSize(controller, random, 4, 3000);
    EXPECT_NEAR(MeanSize(controller, random, 4, 5000), target, 0.05 * target);
    const double easy = controller.mass();
    MeanSize(controller, random, 1.5, 3000);
    EXPECT_NEAR(MeanSize(controller, random, 1.5, 5000), target, 0.05 * target);
    EXPECT_LT(controller.mass(), easy);
  }
}

TEST(MassController, DoesNotWindUpWhereTheTargetCannotBeReached) {
  MassController controller(3, 0.4);
  for (int i = 0; i < 10'000; ++i) controller.Observe(1);
  EXPECT_LE(controller.mass(), 1);
  for (int i = 0; i < 1000; ++i) controller.Observe(8);
  EXPECT_LT(controller.mass(), 0.1);
}

}  // namespace
}  // namespace pointsman::select
