// router/offline/ridge.h: ridge regression on sparse rows, several targets and penalties at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pointsman::offline {

// Rows of a sparse matrix.
struct SparseRows {
  std::size_t columns = 0;
  std::vector<std::size_t> begin{0};  // of each row's entries; one more than rows
  std::vector<std::uint32_t> column;
  std::vector<float> value;
  std::size_t rows() const { return begin.size() - 1; }
};

// Weights, row-major [columns][targets].
struct RidgeWeights {
  std::size_t targets = 0;
  std::vector<float> weight;
};

// For each penalty p the weights W that minimise |X W - Y|^2 + p |W|^2 over the rows `rows` of X (Hoerl and Kennard
// 1970), by conjugate gradients on the normal equations (Hestenes and Stiefel 1952), each target on its own. The
// penalties stand largest first: each solution starts the next. Y is row-major [all rows of X][targets], centred by the
// caller. One thread, equal inputs give equal bytes. Memory: 5 times the weights.
std::vector<RidgeWeights> FitRidge(const SparseRows& x, std::span<const std::uint32_t> rows, std::span<const float> y,
                                   std::size_t targets, std::span<const double> penalties);

// X W of one row, added to `sums` (targets values).
void AddProduct(const SparseRows& x, std::size_t row, const RidgeWeights& weights, std::span<double> sums);

}  // namespace pointsman::offline
