// router/offline/whiten.h: the common shape of the categories' clouds of vectors.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace pointsman::offline {

struct Whitening {
  std::vector<float> matrix;  // row-major [D][D], lower triangular: matrix * vector has unit covariance in a category
  std::vector<float> means;   // row-major [categories][D]: the categories' means, times the matrix
};

// From n rows of `dimensions` values and their labels (< categories): the pooled covariance of the rows around the
// means of their categories, plus a small ridge, is L L'; the matrix is L^-1. The squared distance of matrix * x to a
// mean is the Mahalanobis distance of x to that category (Lee et al. 2018, section 2.1).
Whitening Whiten(std::span<const float> vectors, std::size_t dimensions, std::span<const std::uint8_t> labels,
                 std::size_t categories);

}  // namespace pointsman::offline
