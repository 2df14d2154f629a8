#include "router/offline/bootstrap.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace pointsman::offline {
namespace {

constexpr std::size_t kResamples = 2000;

// SplitMix64 (Steele et al. 2014): the standard library's distributions differ between libraries.
std::uint64_t Next(std::uint64_t& state) {
  std::uint64_t z = state += 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

}  // namespace

Interval BootstrapMean(std::span<const double> values) {
  std::uint64_t state = 1;
  const std::uint64_t n = values.size();
  std::vector<double> means(kResamples);
  for (double& mean : means) {
    double sum = 0;
    for (std::uint64_t i = 0; i < n; ++i) sum += values[static_cast<std::size_t>((Next(state) >> 32) * n >> 32)];
    mean = sum / static_cast<double>(n);
  }
  std::sort(means.begin(), means.end());
  return {means[kResamples / 40], means[kResamples - 1 - kResamples / 40]};
}

}  // namespace pointsman::offline
