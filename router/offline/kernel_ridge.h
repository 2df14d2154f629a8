// router/offline/kernel_ridge.h: ridge regression in a kernel's feature space: the mean of a Gaussian process.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace pointsman::offline {

// A dense matrix, row by row.
struct Matrix {
  std::size_t rows = 0, columns = 0;
  std::vector<float> data;

  Matrix() = default;
  Matrix(std::size_t r, std::size_t c) : rows(r), columns(c), data(r * c, 0.0F) {}
  std::span<float> Row(std::size_t i) { return {data.data() + i * columns, columns}; }
  std::span<const float> Row(std::size_t i) const { return {data.data() + i * columns, columns}; }
};

struct KernelFit {
  std::vector<std::size_t> rows;  // of the kernel matrix, those that were fitted
  Matrix weights;                 // one row for each of them, a column for each target (and columns of padding)
  std::vector<float> mean;        // of the targets
};

// Solves (K + ridge I) weights = targets - mean over `rows` of the symmetric, positive semidefinite `kernel` (n x n)
// and of `targets` (n x t), by conjugate gradients to a relative residual of 1e-3 (Hestenes & Stiefel 1952), at most
// 200 steps. Rasmussen & Williams, Gaussian Processes for Machine Learning, equation 2.25. ridge > 0. Deterministic.
KernelFit FitKernelRidge(const Matrix& kernel, const Matrix& targets, const std::vector<std::size_t>& rows,
                         double ridge);

// The prediction (t values) for a point with these kernel values to all n rows.
std::vector<double> PredictKernelRidge(const KernelFit& fit, std::span<const float> kernel_row);

}  // namespace pointsman::offline
