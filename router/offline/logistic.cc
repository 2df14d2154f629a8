#include "router/offline/logistic.h"

#include <algorithm>
#include <cmath>

#include "router/offline/minimize.h"

namespace pointsman::offline {
namespace {

constexpr std::size_t kSteps = 60;
constexpr double kTolerance = 1e-5;

}  // namespace

LogisticWeights FitLogistic(const SparseRows& x, std::size_t positives, double strength) {
  const std::size_t rows = x.rows();
  const auto n = static_cast<double>(rows);
  const double own = n / (2 * static_cast<double>(positives)), other = n / (2 * static_cast<double>(rows - positives));
  const double penalty = 1 / (strength * n);  // all divided by strength * n, so that the value is about 1
  const std::size_t columns = x.columns;
  const auto objective = [&](std::span<const double> at, std::span<double> gradient) {
    double value = 0;
    for (std::size_t c = 0; c < columns; ++c) {
      value += penalty * at[c] * at[c] / 2;
      gradient[c] = penalty * at[c];
    }
    gradient[columns] = 0;
    for (std::size_t i = 0; i < rows; ++i) {
      double logit = at[columns];
      for (std::size_t k = x.begin[i]; k < x.begin[i + 1]; ++k) logit += x.value[k] * at[x.column[k]];
      const double sign = i < positives ? 1 : -1, weight = (i < positives ? own : other) / n;
      const double margin = sign * logit;
      value += weight * (std::max(-margin, 0.0) + std::log1p(std::exp(-std::abs(margin))));
      const double slope = -sign * weight / (1 + std::exp(margin));
      for (std::size_t k = x.begin[i]; k < x.begin[i + 1]; ++k) gradient[x.column[k]] += slope * x.value[k];
      gradient[columns] += slope;
    }
    return value;
  };
  std::vector<double> solution(columns + 1);
  Minimize(objective, solution, kSteps, kTolerance);
  LogisticWeights weights;
  weights.bias = solution.back();
  solution.pop_back();
  weights.weight = std::move(solution);
  return weights;
}

}  // namespace pointsman::offline
