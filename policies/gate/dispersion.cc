#include "policies/gate/dispersion.h"

#include <algorithm>
#include <cmath>

namespace pointsman::gate {
namespace {

// What one pass over a distribution gathers.
struct Sums {
  double squares = 0, entropy = 0, largest = 0, second = 0;

  void Add(double p) {
    squares += p * p;
    if (p > 0) entropy -= p * std::log(p);
    if (p > largest) {
      second = largest;
      largest = p;
    } else {
      second = std::max(second, p);
    }
  }

  Dispersions Of(double n) const {
    return {std::clamp((n * squares - 1) / (n - 1), 0.0, 1.0), std::clamp(1 - entropy / std::log(n), 0.0, 1.0),
            std::clamp(largest, 0.0, 1.0), std::clamp(largest - second, 0.0, 1.0)};
  }
};

}  // namespace

Dispersions DispersionsOf(std::span<const double> probabilities) {
  return DispersionsOf(probabilities, probabilities.size());
}

Dispersions DispersionsOf(std::span<const double> probabilities, std::size_t n) {
  Sums sums;
  for (const double p : probabilities) sums.Add(p);
  return sums.Of(static_cast<double>(n));
}

std::optional<Dispersions> DispersionsOfTop(std::span<const double> logprobs) {
  if (logprobs.empty()) return std::nullopt;
  Sums sums;
  double listed = 0, least = 1;
  for (const double logprob : logprobs) {
    const double p = std::exp(std::min(logprob, 0.0));
    sums.Add(p);
    listed += p;
    least = std::min(least, p);
  }
  const double rest = std::max(1 - listed, 0.0), part = std::min(rest, least);
  if (part > 0) {
    sums.squares += rest * part;
    sums.entropy -= rest * std::log(part);
    sums.second = std::max(sums.second, std::min(part, sums.largest));
  } else if (rest > 0) {
    // A listed outcome of probability 0: the rest can have none either; the list is contradictory, so it says nothing.
    return Dispersions{};
  }
  return sums.Of(static_cast<double>(logprobs.size() + 1));
}

}  // namespace pointsman::gate
