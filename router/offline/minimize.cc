#include "router/offline/minimize.h"

#include <cmath>
#include <deque>
#include <numeric>

namespace pointsman::offline {
namespace {

constexpr std::size_t kPairs = 10;
constexpr double kArmijo = 1e-4, kShrink = 0.5;
constexpr int kTries = 40;

double Dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

struct Pair {
  std::vector<double> s, y;  // steps of x and of the gradient
  double rho;                // 1 / s'y
};

// Minus the inverse Hessian's approximation times the gradient: the two-loop recursion.
std::vector<double> Direction(const std::deque<Pair>& pairs, const std::vector<double>& gradient) {
  std::vector<double> q = gradient, alphas;
  for (auto pair = pairs.rbegin(); pair != pairs.rend(); ++pair) {
    const double alpha = pair->rho * Dot(pair->s, q);
    alphas.push_back(alpha);
    for (std::size_t i = 0; i < q.size(); ++i) q[i] -= alpha * pair->y[i];
  }
  if (!pairs.empty()) {
    const double scale = 1 / (pairs.back().rho * Dot(pairs.back().y, pairs.back().y));
    for (double& value : q) value *= scale;
  }
  for (const Pair& pair : pairs) {
    const double more = alphas.back() - pair.rho * Dot(pair.y, q);
    alphas.pop_back();
    for (std::size_t i = 0; i < q.size(); ++i) q[i] += more * pair.s[i];
  }
  for (double& value : q) value = -value;
  return q;
}

}  // namespace

double Minimize(const Objective& objective, std::vector<double>& x, std::size_t max_steps, double tolerance) {
  std::vector<double> gradient(x.size()), next(x.size()), next_gradient(x.size());
  double value = objective(x, gradient);
  std::deque<Pair> pairs;
  for (std::size_t step = 0; step < max_steps; ++step) {
    std::vector<double> direction = Direction(pairs, gradient);
    double slope = Dot(gradient, direction);
    if (!(slope < 0)) break;
    // The first step knows nothing of the function's scale.
    double length = pairs.empty() ? std::min(1.0, 1 / std::sqrt(Dot(gradient, gradient))) : 1.0;
    double next_value = value;
    bool found = false;
    for (int attempt = 0; attempt < kTries && !found; ++attempt, length *= kShrink) {
      for (std::size_t i = 0; i < x.size(); ++i) next[i] = x[i] + length * direction[i];
      next_value = objective(next, next_gradient);
      found = next_value <= value + kArmijo * length * slope;
    }
    if (!found) break;
    Pair pair{std::vector<double>(x.size()), std::vector<double>(x.size()), 0};
    for (std::size_t i = 0; i < x.size(); ++i) {
      pair.s[i] = next[i] - x[i];
      pair.y[i] = next_gradient[i] - gradient[i];
    }
    const double curvature = Dot(pair.s, pair.y);
    if (curvature > 1e-12 * Dot(pair.y, pair.y)) {
      pair.rho = 1 / curvature;
      pairs.push_back(std::move(pair));
      if (pairs.size() > kPairs) pairs.pop_front();
    }
    const double gain = value - next_value;
    x.swap(next);
    gradient.swap(next_gradient);
    value = next_value;
    if (gain <= tolerance * std::abs(value)) break;
  }
  return value;
}

}  // namespace pointsman::offline
