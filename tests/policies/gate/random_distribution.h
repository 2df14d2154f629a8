// tests/policies/gate/random_distribution.h: distributions of every shape, from flat to nearly one-hot.
#pragma once

#include <cmath>
#include <random>
#include <vector>

namespace pointsman::gate {

inline std::vector<double> RandomDistribution(std::mt19937& random, std::size_t n) {
  // exp of a normal with a random spread.
  std::normal_distribution<double> normal;
  const double spread = std::uniform_real_distribution<double>(0, 8)(random);
  std::vector<double> p(n);
  double sum = 0;
  for (double& value : p) sum += value = std::exp(spread * normal(random));
  for (double& value : p) value /= sum;
  return p;
}

}  // namespace pointsman::gate
