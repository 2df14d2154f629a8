// router/offline/nonnegative.h: least squares with weights that are not negative, and small dense systems.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace pointsman::offline {

// The w >= 0 that minimises w'Gw / 2 - c'w, for a symmetric positive semidefinite G (row-major [n][n]): coordinate
// descent. A variable whose diagonal is not above `least` stays 0.
std::vector<double> NonNegative(std::span<const double> g, std::span<const double> c, double least);

// The X with A X = B, for a symmetric positive definite A (row-major [n][n]) and B (row-major [n][columns]): Cholesky.
std::vector<double> SolveDense(std::vector<double> a, std::vector<double> b, std::size_t columns);

}  // namespace pointsman::offline
