// router/offline/minimize.h: the minimum of a smooth convex function.
#pragma once

#include <functional>
#include <span>
#include <vector>

namespace pointsman::offline {

// The value at `x`; fills `gradient`, which has as many values.
using Objective = std::function<double(std::span<const double> x, std::span<double> gradient)>;

// L-BFGS with ten pairs (Nocedal and Wright, Numerical Optimization, 2006, algorithms 7.4 and 7.5) and a backtracking
// line search (Armijo, algorithm 3.1; pairs without positive curvature are left out), from `x`, until a step gains less
// than `tolerance` of the value or after `max_steps` steps. `x` becomes the best point; returns the value there. For
// convex functions that is the minimum. One thread; deterministic.
double Minimize(const Objective& objective, std::vector<double>& x, std::size_t max_steps, double tolerance);

}  // namespace pointsman::offline
