// router/offline/binary_metrics.h: how well a score tells right from wrong.
#pragma once

#include <cstdint>
#include <span>

#include "router/offline/pair_curve.h"

namespace pointsman::offline {

// The probability that a right one has a higher score than a wrong one, ties counting half (Hanley and McNeil 1982);
// 0.5 where all are right or all wrong. `right` is 0 to 1 a value; at 0.5 or more it is right.
double Auroc(std::span<const double> scores, std::span<const double> right);

// Expected calibration error of probabilities of being right, in 15 equal bins (Guo et al. 2017, section 2, for the
// probability of one event): sum over bins of the share of values times |mean probability - mean right|.
double CalibrationError(std::span<const double> probabilities, std::span<const double> right);

// Bootstrap over the values, as pair_curve.h; resamples that are all right or all wrong are left out.
Spread BootstrapAuroc(std::span<const double> scores, std::span<const double> right, std::uint32_t resamples,
                      std::uint64_t seed);

}  // namespace pointsman::offline
