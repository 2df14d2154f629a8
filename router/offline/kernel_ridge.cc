#include "router/offline/kernel_ridge.h"

#include <algorithm>

namespace pointsman::offline {
namespace {

constexpr int kMaxSteps = 200;
constexpr double kRelativeResidual = 1e-3;

// Columns are worked on in groups of this many, which the compiler keeps in vector registers.
constexpr std::size_t kLanes = 8;

std::size_t Padded(std::size_t columns) { return (columns + kLanes - 1) / kLanes * kLanes; }

// out = (K + ridge I) x, over the chosen rows. The columns of x and out are padded.
void Multiply(const Matrix& kernel, const std::vector<std::size_t>& rows, double ridge, const Matrix& x, Matrix& out) {
  for (std::size_t a = 0; a < rows.size(); ++a) {
    const float* line = kernel.Row(rows[a]).data();
    for (std::size_t group = 0; group < x.columns; group += kLanes) {
      float sums[kLanes] = {};
      const float* other = x.data.data() + group;
      for (const std::size_t b : rows) {
        const float k = line[b];
        for (std::size_t t = 0; t < kLanes; ++t) sums[t] += k * other[t];
        other += x.columns;
      }
      const float* mine = x.Row(a).data() + group;
      float* result = out.Row(a).data() + group;
      for (std::size_t t = 0; t < kLanes; ++t) result[t] = sums[t] + static_cast<float>(ridge) * mine[t];
    }
  }
}

// Column-wise sums of a * b.
std::vector<double> Dots(const Matrix& a, const Matrix& b) {
  std::vector<double> sums(a.columns, 0);
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t t = 0; t < a.columns; ++t) sums[t] += static_cast<double>(a.Row(i)[t]) * b.Row(i)[t];
  }
  return sums;
}

}  // namespace

KernelFit FitKernelRidge(const Matrix& kernel, const Matrix& targets, const std::vector<std::size_t>& rows,
                         double ridge) {
  const std::size_t n = rows.size(), width = Padded(targets.columns);
  KernelFit fit{rows, Matrix(n, width), std::vector<float>(targets.columns, 0)};
  for (std::size_t t = 0; t < targets.columns; ++t) {
    double sum = 0;
    for (const std::size_t i : rows) sum += targets.Row(i)[t];
    fit.mean[t] = static_cast<float>(sum / static_cast<double>(std::max<std::size_t>(n, 1)));
  }
  Matrix residual(n, width), image(n, width);
  for (std::size_t a = 0; a < n; ++a) {
    for (std::size_t t = 0; t < targets.columns; ++t) residual.Row(a)[t] = targets.Row(rows[a])[t] - fit.mean[t];
  }
  Matrix direction = residual;
  std::vector<double> size = Dots(residual, residual);
  const std::vector<double> start = size;
  for (int step = 0; step < kMaxSteps; ++step) {
    bool open = false;
    for (std::size_t t = 0; t < width; ++t) open |= size[t] > kRelativeResidual * kRelativeResidual * start[t];
    if (!open) break;
    Multiply(kernel, rows, ridge, direction, image);
    const std::vector<double> curvature = Dots(direction, image);
    std::vector<float> length(width), turn(width);
    for (std::size_t t = 0; t < width; ++t) {
      length[t] = curvature[t] > 0 ? static_cast<float>(size[t] / curvature[t]) : 0;
    }
    for (std::size_t a = 0; a < n; ++a) {
      for (std::size_t t = 0; t < width; ++t) {
        fit.weights.Row(a)[t] += length[t] * direction.Row(a)[t];
        residual.Row(a)[t] -= length[t] * image.Row(a)[t];
      }
    }
    const std::vector<double> next = Dots(residual, residual);
    for (std::size_t t = 0; t < width; ++t) turn[t] = size[t] > 0 ? static_cast<float>(next[t] / size[t]) : 0;
    size = next;
    for (std::size_t a = 0; a < n; ++a) {
      for (std::size_t t = 0; t < width; ++t) {
        direction.Row(a)[t] = residual.Row(a)[t] + turn[t] * direction.Row(a)[t];
      }
    }
  }
  return fit;
}

std::vector<double> PredictKernelRidge(const KernelFit& fit, std::span<const float> kernel_row) {
  std::vector<double> prediction(fit.mean.begin(), fit.mean.end());
  for (std::size_t a = 0; a < fit.rows.size(); ++a) {
    const double k = kernel_row[fit.rows[a]];
    const std::span<const float> weights = fit.weights.Row(a);
    for (std::size_t t = 0; t < prediction.size(); ++t) prediction[t] += k * weights[t];
  }
  return prediction;
}

}  // namespace pointsman::offline
