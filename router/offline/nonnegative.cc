#include "router/offline/nonnegative.h"

#include <algorithm>
#include <cmath>

namespace pointsman::offline {

std::vector<double> NonNegative(std::span<const double> g, std::span<const double> c, double least) {
  constexpr int kSweeps = 5000;
  constexpr double kStill = 1e-12;
  const std::size_t n = c.size();
  std::vector<double> w(n);
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    double moved = 0, largest = 0;
    for (std::size_t i = 0; i < n; ++i) {
      if (g[i * n + i] <= least) continue;
      double rest = c[i];
      for (std::size_t j = 0; j < n; ++j) rest -= j == i ? 0 : g[i * n + j] * w[j];
      const double next = std::max(0.0, rest / g[i * n + i]);
      moved = std::max(moved, std::abs(next - w[i]));
      largest = std::max(largest, next);
      w[i] = next;
    }
    if (moved <= kStill * largest) break;
  }
  return w;
}

std::vector<double> SolveDense(std::vector<double> a, std::vector<double> b, std::size_t columns) {
  const std::size_t n = b.size() / columns;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = a[i * n + j];
      for (std::size_t k = 0; k < j; ++k) sum -= a[i * n + k] * a[j * n + k];
      a[i * n + j] = i == j ? std::sqrt(sum) : sum / a[j * n + j];
    }
  }
  for (std::size_t c = 0; c < columns; ++c) {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t k = 0; k < i; ++k) b[i * columns + c] -= a[i * n + k] * b[k * columns + c];
      b[i * columns + c] /= a[i * n + i];
    }
    for (std::size_t i = n; i-- > 0;) {
      for (std::size_t k = i + 1; k < n; ++k) b[i * columns + c] -= a[k * n + i] * b[k * columns + c];
      b[i * columns + c] /= a[i * n + i];
    }
  }
  return b;
}

}  // namespace pointsman::offline
