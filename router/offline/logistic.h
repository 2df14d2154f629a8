// router/offline/logistic.h: logistic regression of two classes on sparse rows.
#pragma once

#include <cstddef>
#include <vector>

#include "router/offline/ridge.h"

namespace pointsman::offline {

struct LogisticWeights {
  std::vector<double> weight;  // [column]
  double bias = 0;
};

// The first `positives` rows of x are of the one class, the others of the other; both have rows. Minimises
//   |w|^2 / 2 + strength * sum over the rows i of c_i ln(1 + exp(-y_i (w . x_i + b))),  y_i = +-1,
// c_i = rows / (2 * rows of i's class): both classes weigh the same, however many rows they have. `strength` > 0 is the
// C of LIBLINEAR (Fan et al. 2008, section 2). L-BFGS (minimize.h), at most 60 steps. One thread, deterministic.
LogisticWeights FitLogistic(const SparseRows& x, std::size_t positives, double strength);

}  // namespace pointsman::offline
