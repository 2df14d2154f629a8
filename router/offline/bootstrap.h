// router/offline/bootstrap.h: how far a mean over rows can be trusted.
#pragma once

#include <span>

namespace pointsman::offline {

struct Interval {
  double low = 0, high = 0;
};

// The percentile bootstrap interval of the mean that covers 95 % (Efron & Tibshirani 1993, chapter 13), from 2,000
// resamples with a fixed seed: equal values give equal intervals. At least one value.
Interval BootstrapMean(std::span<const double> values);

}  // namespace pointsman::offline
