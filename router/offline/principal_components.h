// router/offline/principal_components.h: vectors in fewer dimensions that keep as much of their variance as possible.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace pointsman::offline {

struct PrincipalComponents {
  std::vector<double> mean;       // of the rows
  std::vector<float> directions;  // row-major [components][mean.size()]: orthonormal, by falling variance
  double kept = 0;                // share of the variance that lies in them, [0, 1]

  std::size_t inputs() const { return mean.size(); }
  std::size_t components() const { return inputs() == 0 ? 0 : directions.size() / inputs(); }
  // directions * (vector - mean). `vector` has inputs() values, `out` components(). Any thread.
  void Project(std::span<const float> vector, std::span<float> out) const;
};

// Hotelling 1933: eigenvectors of the covariance of `rows`, which are at least 2 of one size >= `components`. Of the
// two directions of an eigenvector the one whose largest value is positive. Deterministic; inputs^2 doubles of memory.
PrincipalComponents FindPrincipalComponents(std::span<const std::vector<float>* const> rows, std::size_t components);

}  // namespace pointsman::offline
