#include "router/offline/map_policy.h"

#include <algorithm>
#include <limits>

namespace pointsman::offline {
namespace {

config::Experts Ranked(const std::vector<double>& worth, const MapSolution& solution) {
  config::Experts experts;
  for (std::size_t m = 0; m < worth.size(); ++m) {
    if (solution.used[m]) experts.push_back(m);
  }
  std::stable_sort(experts.begin(), experts.end(), [&](std::size_t a, std::size_t b) { return worth[a] > worth[b]; });
  return experts;
}

}  // namespace

config::Config ConfigOf(const std::vector<std::string>& experts) {
  config::Config config;
  for (const std::string& name : experts) {
    config::Expert expert;
    expert.name = name;
    config.experts.push_back(std::move(expert));
  }
  return config;
}

config::CategoryMap MapOf(const std::vector<std::string>& categories, const MapProblem& problem,
                          const MapSolution& solution) {
  const std::size_t count = solution.used.size();
  config::CategoryMap map;
  std::vector<double> general(count, 0);
  const auto add = [&](const std::string& name, std::vector<double> worth) {
    for (std::size_t m = 0; m < count; ++m) {
      if (!solution.used[m]) worth[m] = std::numeric_limits<double>::quiet_NaN();
    }
    map.experts.emplace(name, Ranked(worth, solution));
    map.worth.emplace(name, std::move(worth));
  };
  for (std::size_t c = 0; c < categories.size(); ++c) {
    std::vector<double> worth(count, 0);
    for (std::size_t m = 0; m < count; ++m) {
      worth[m] = problem.value[c][m] - solution.charge[m];
      general[m] += problem.share[c] * worth[m];
    }
    add(categories[c], std::move(worth));
  }
  add("general", std::move(general));  // a category of that name stays as it is
  return map;
}

}  // namespace pointsman::offline
