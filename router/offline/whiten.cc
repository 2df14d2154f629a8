#include "router/offline/whiten.h"

#include <algorithm>
#include <cmath>

namespace pointsman::offline {
namespace {

constexpr double kRidge = 1e-4;  // of vectors of length 1

// The inverse of the Cholesky factor of the symmetric, positive definite `a`, row-major.
std::vector<double> InverseFactor(std::vector<double> a, std::size_t n) {
  for (std::size_t j = 0; j < n; ++j) {  // a's lower triangle becomes L
    for (std::size_t i = j; i < n; ++i) {
      double sum = a[i * n + j];
      for (std::size_t k = 0; k < j; ++k) sum -= a[i * n + k] * a[j * n + k];
      a[i * n + j] = i == j ? std::sqrt(std::max(sum, 1e-12)) : sum / a[j * n + j];
    }
  }
  std::vector<double> inverse(n * n);
  for (std::size_t j = 0; j < n; ++j) {
    inverse[j * n + j] = 1 / a[j * n + j];
    for (std::size_t i = j + 1; i < n; ++i) {
      double sum = 0;
      for (std::size_t k = j; k < i; ++k) sum -= a[i * n + k] * inverse[k * n + j];
      inverse[i * n + j] = sum / a[i * n + i];
    }
  }
  return inverse;
}

}  // namespace

Whitening Whiten(std::span<const float> vectors, std::size_t dimensions, std::span<const std::uint8_t> labels,
                 std::size_t categories) {
  const std::size_t n = dimensions, rows = labels.size();
  std::vector<double> means(categories * n), size(categories);
  for (std::size_t i = 0; i < rows; ++i) {
    ++size[labels[i]];
    for (std::size_t d = 0; d < n; ++d) means[labels[i] * n + d] += vectors[i * n + d];
  }
  for (std::size_t c = 0; c < categories; ++c) {
    for (std::size_t d = 0; d < n; ++d) means[c * n + d] /= std::max(size[c], 1.0);
  }
  std::vector<double> covariance(n * n), centred(n);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t d = 0; d < n; ++d) centred[d] = vectors[i * n + d] - means[labels[i] * n + d];
    for (std::size_t d = 0; d < n; ++d) {
      for (std::size_t e = 0; e <= d; ++e) covariance[d * n + e] += centred[d] * centred[e];
    }
  }
  for (double& value : covariance) value /= static_cast<double>(std::max<std::size_t>(rows, 1));
  for (std::size_t d = 0; d < n; ++d) covariance[d * n + d] += kRidge;

  const std::vector<double> inverse = InverseFactor(std::move(covariance), n);
  Whitening whitening;
  whitening.matrix.assign(inverse.begin(), inverse.end());
  for (std::size_t c = 0; c < categories; ++c) {
    for (std::size_t d = 0; d < n; ++d) {
      double sum = 0;
      for (std::size_t e = 0; e <= d; ++e) sum += inverse[d * n + e] * means[c * n + e];
      whitening.means.push_back(static_cast<float>(sum));
    }
  }
  return whitening;
}

}  // namespace pointsman::offline
