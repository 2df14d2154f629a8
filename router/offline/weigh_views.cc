#include "router/offline/weigh_views.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace pointsman::offline {
namespace {

struct Point {
  double loss = 0;
  std::vector<double> gradient;
  std::vector<double> hessian;  // row-major
};

Point Look(std::span<const View> views, std::size_t categories, std::span<const std::uint32_t> truth,
           const std::vector<double>& weights) {
  const std::size_t n = views.size();
  Point point{0, std::vector<double>(n), std::vector<double>(n * n)};
  std::vector<double> p(categories), mean(n);
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const std::size_t at = i * categories;
    for (std::size_t c = 0; c < categories; ++c) {
      p[c] = 0;
      for (std::size_t v = 0; v < n; ++v) p[c] += weights[v] * views[v][at + c];
    }
    const double highest = *std::max_element(p.begin(), p.end());
    const double own = p[truth[i]] - highest;
    double total = 0;
    for (double& value : p) total += value = std::exp(value - highest);
    for (double& value : p) value /= total;
    point.loss += std::log(total) - own;
    for (std::size_t v = 0; v < n; ++v) {
      mean[v] = 0;
      for (std::size_t c = 0; c < categories; ++c) mean[v] += p[c] * views[v][at + c];
      point.gradient[v] += mean[v] - views[v][at + truth[i]];
    }
    for (std::size_t v = 0; v < n; ++v) {
      for (std::size_t u = 0; u <= v; ++u) {
        double product = 0;
        for (std::size_t c = 0; c < categories; ++c) product += p[c] * views[v][at + c] * views[u][at + c];
        point.hessian[v * n + u] += product - mean[v] * mean[u];
      }
    }
  }
  const double scale = 1 / static_cast<double>(std::max<std::size_t>(truth.size(), 1));
  point.loss *= scale;
  for (double& value : point.gradient) value *= scale;
  for (std::size_t v = 0; v < n; ++v) {
    for (std::size_t u = 0; u <= v; ++u) point.hessian[u * n + v] = point.hessian[v * n + u] *= scale;
  }
  return point;
}

// Solves the free part of hessian * step = gradient by Gaussian elimination; positive definite by a small ridge.
std::vector<double> NewtonStep(const Point& point, const std::vector<bool>& free) {
  const std::size_t n = free.size();
  std::vector<double> a = point.hessian, step = point.gradient;
  for (std::size_t v = 0; v < n; ++v) {
    a[v * n + v] += 1e-6;
    if (free[v]) continue;
    for (std::size_t u = 0; u < n; ++u) a[v * n + u] = a[u * n + v] = u == v ? 1 : 0;
    step[v] = 0;
  }
  for (std::size_t v = 0; v < n; ++v) {
    for (std::size_t row = v + 1; row < n; ++row) {
      const double factor = a[row * n + v] / a[v * n + v];
      for (std::size_t u = v; u < n; ++u) a[row * n + u] -= factor * a[v * n + u];
      step[row] -= factor * step[v];
    }
  }
  for (std::size_t v = n; v-- > 0;) {
    for (std::size_t u = v + 1; u < n; ++u) step[v] -= a[v * n + u] * step[u];
    step[v] /= a[v * n + v];
  }
  return step;
}

}  // namespace

std::vector<float> WeighViews(std::span<const View> views, std::size_t categories,
                              std::span<const std::uint32_t> truth) {
  constexpr unsigned kMostSteps = 50;
  const std::size_t n = views.size();
  std::vector<double> weights(n, 1.0 / static_cast<double>(n));
  Point here = Look(views, categories, truth, weights);
  for (unsigned i = 0; i < kMostSteps; ++i) {
    std::vector<bool> free(n);
    for (std::size_t v = 0; v < n; ++v) free[v] = weights[v] > 0 || here.gradient[v] < 0;
    const std::vector<double> step = NewtonStep(here, free);
    bool better = false;
    for (double length = 1; length > 1e-6 && !better; length /= 2) {
      std::vector<double> next(n);
      for (std::size_t v = 0; v < n; ++v) next[v] = std::max(0.0, weights[v] - length * step[v]);
      Point there = Look(views, categories, truth, next);
      if (there.loss >= here.loss - 1e-9) continue;
      weights = std::move(next);
      here = std::move(there);
      better = true;
    }
    if (!better) break;
  }
  return {weights.begin(), weights.end()};
}

}  // namespace pointsman::offline
