#include "router/offline/map_solver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <random>

// The leak checker of sanitizer builds asks for this. CoinUtils loses one small array in some presolves
// (implied_free_action::presolve); it is not ours to free.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:implied_free_action::presolve\n"; }

namespace pointsman::offline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Full enumeration of all assignments; -1 when none keeps the limits.
double Enumerate(const MapProblem& p) {
  const std::size_t categories = p.value.size(), experts = p.allowed.size();
  std::vector<std::size_t> expert(categories, 0);
  double best = -1;
  while (true) {
    double quality = 0, active = 0, price = 0, deployed = 0;
    std::vector<double> served(experts, 0);
    std::vector<bool> used(experts, false);
    bool fits = true;
    for (std::size_t c = 0; c < categories; ++c) {
      const std::size_t m = expert[c];
      fits &= p.allowed[m];
      quality += p.share[c] * p.value[c][m];
      active += p.share[c] * p.active[m];
      price += p.share[c] * p.price[m];
      served[m] += p.share[c];
      used[m] = true;
    }
    for (std::size_t m = 0; m < experts; ++m) {
      if (!used[m]) continue;
      deployed += p.size[m];
      fits &= served[m] >= p.min_share;
    }
    fits &= (!p.max_deployed || deployed <= *p.max_deployed) && (!p.max_active || active <= *p.max_active) &&
            (!p.max_price || price <= *p.max_price);
    if (fits) best = std::max(best, quality);
    std::size_t c = 0;
    while (c < categories && ++expert[c] == experts) expert[c++] = 0;
    if (c == categories) return best;
  }
}

MapProblem Random(std::mt19937& random, std::size_t categories, std::size_t experts) {
  std::uniform_real_distribution<double> unit(0, 1);
  MapProblem p;
  double total = 0;
  for (std::size_t c = 0; c < categories; ++c) {
    total += p.share.emplace_back(0.05 + unit(random));
    p.value.emplace_back();
    for (std::size_t m = 0; m < experts; ++m) p.value.back().push_back(unit(random));
  }
  for (double& share : p.share) share /= total;
  for (std::size_t m = 0; m < experts; ++m) {
    p.size.push_back(1 + 99 * unit(random));
    p.active.push_back(p.size.back() * unit(random));
    p.price.push_back(unit(random));
    p.allowed.push_back(unit(random) < 0.9);
  }
  return p;
}

TEST(MapSolver, ChargesAreTheMultipliersOfTheLimits) {
  MapProblem p;
  p.share = {0.5, 0.5};
  p.value = {{0.5, 0.9}, {0.5, 0.6}};  // small, big
  p.active = p.size = p.price = {10, 50};
  p.allowed = {true, true};
  EXPECT_THAT(SolveMap(p)->charge, ElementsAre(0, 0));
  p.max_active = 35;  // the first category alone may have the big one; the rest is worth (0.6 - 0.5) / (50 - 10)
  const auto solved = SolveMap(p);
  ASSERT_TRUE(solved.ok());
  EXPECT_THAT(solved->expert, ElementsAre(1, 0));
  ASSERT_EQ(solved->charge.size(), 2U);
  EXPECT_NEAR(solved->charge[0], 0.025, 1e-9);
  EXPECT_NEAR(solved->charge[1], 0.125, 1e-9);
  p.max_active.reset();
  p.min_share = 0.4;  // nobody needs to be used: the big one is best everywhere
  EXPECT_THAT(SolveMap(p)->expert, ElementsAre(1, 1));
}

TEST(MapSolver, MeetsFullEnumerationOnRandomInstances) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> unit(0, 1);
  int infeasible = 0;
  for (int i = 0; i < 1000; ++i) {
    MapProblem p = Random(random, 1 + random() % 4, 1 + random() % 12);
    if (random() % 2) p.max_deployed = 150 * unit(random);
    if (random() % 2) p.max_active = 60 * unit(random);
    if (random() % 3 == 0) p.max_price = unit(random);
    if (random() % 3 == 0) p.min_share = 0.5 * unit(random);
    const double best = Enumerate(p);
    const auto solved = SolveMap(p);
    ASSERT_EQ(solved.ok(), best >= 0) << "instance " << i << ": " << (solved.ok() ? "" : solved.error().message);
    if (!solved.ok()) {
      ++infeasible;
      continue;
    }
    ASSERT_NEAR(solved->quality, best, 1e-7) << "instance " << i;
    ASSERT_EQ(solved->gap, 0) << "instance " << i;
  }
  EXPECT_GT(infeasible, 20);  // both kinds were met
  EXPECT_LT(infeasible, 500);
}

TEST(MapSolver, QualityNeverFallsAsTheBudgetGrowsAndEndsAtTheFreeMap) {
  std::mt19937 random(2);
  MapProblem p = Random(random, 6, 10);
  p.allowed.assign(10, true);
  double free = 0, all = 0, before = 0;
  for (std::size_t c = 0; c < 6; ++c) free += p.share[c] * *std::max_element(p.value[c].begin(), p.value[c].end());
  for (const double size : p.size) all += size;
  for (double budget = *std::min_element(p.size.begin(), p.size.end()); budget < all + 10; budget += 10) {
    p.max_deployed = budget;
    const auto solved = SolveMap(p);
    ASSERT_TRUE(solved.ok()) << solved.error().message;
    EXPECT_GE(solved->quality, before - 1e-9);
    before = solved->quality;
  }
  EXPECT_NEAR(before, free, 1e-9);
}

TEST(MapSolver, InfeasibleLimitsAreNamed) {
  MapProblem p{{{0.5, 0.6}}, {1}, {10, 20}, {10, 20}, {1, 2}, {true, true}, {}, {}, {}, 0, 60};
  p.max_active = 5;
  EXPECT_THAT(SolveMap(p).error().message, HasSubstr("mean active parameters is 5, but the least is 10"));
  p.max_active = 15;
  p.max_price = 0.5;
  EXPECT_THAT(SolveMap(p).error().message, HasSubstr("mean price is 0.5, but the least is 1"));
  p.max_price.reset();
  EXPECT_THAT(SolveMap(p)->expert, ElementsAre(0));
  p.allowed = {false, false};
  EXPECT_THAT(SolveMap(p).error().message, HasSubstr("no expert keeps"));
}

TEST(MapSolver, AnExpertWithTooLittleTrafficIsNotUsed) {
  MapProblem p{{{0.5, 0.6}, {0.9, 0.1}}, {0.05, 0.95}, {}, {}, {}, {true, true}, {}, {}, {}, 0, 60};
  EXPECT_THAT(SolveMap(p)->expert, ElementsAre(1, 0));
  p.min_share = 0.1;
  EXPECT_THAT(SolveMap(p)->expert, ElementsAre(0, 0));
}

// Prints its time: 300 experts x 50 categories (docs/map.md has the figure).
TEST(MapSolver, SolvesThreeHundredExpertsInFiftyCategories) {
  std::mt19937 random(3);
  MapProblem p = Random(random, 50, 300);
  p.max_deployed = 300;
  p.max_seconds = 250;
  const std::clock_t start = std::clock();
  const auto solved = SolveMap(p);
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  ASSERT_TRUE(solved.ok()) << solved.error().message;
  EXPECT_LE(solved->deployed, 300 + 1e-3);
  EXPECT_GE(solved->gap, 0);
  std::printf("300 experts x 50 categories: %.2f s of processor time, quality %.5f, gap %.2g\n", seconds,
              solved->quality, solved->gap);
}

}  // namespace
}  // namespace pointsman::offline
