// router/offline/metrics.h: how good predicted distributions are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace pointsman::offline {

struct Prediction {
  std::uint32_t truth;
  std::vector<float> probabilities;  // sum 1
  double entropy;                    // nats
};

struct CategoryMetrics {
  std::string name;
  std::size_t rows = 0;                      // with that truth
  double precision = 0, recall = 0, f1 = 0;  // [0, 1]; 0 where undefined
  double mean_probability = 0;               // of the truth, over its rows, [0, 1]; 0 without any
};

struct Confusion {
  std::string truth, predicted;
  std::size_t rows = 0;
};

struct CoveragePoint {
  double coverage = 0;  // share of rows kept, those of least entropy, (0, 1]
  double entropy = 0;   // the largest of them, nats
  double accuracy = 0;  // of them, [0, 1]
};

// Rows whose largest probability is in [low, high), the last bin's in [low, 1].
struct CalibrationBin {
  double low = 0, high = 0;
  std::size_t rows = 0;
  double probability = 0,
         accuracy = 0;  // their mean largest probability and their share of right answers; 0 without any
};

struct Metrics {
  std::size_t rows = 0;
  double accuracy = 0, macro_f1 = 0;  // macro: mean over the categories that have rows
  double nll = 0;                     // mean -ln p(truth), nats
  double ece = 0;  // expected calibration error, 15 equal bins of the largest probability (Guo et al. 2017, section 2)
  std::vector<CategoryMetrics> categories;
  std::vector<std::size_t> table;           // rows by [truth][predicted]
  std::vector<Confusion> confusions;        // the ten most frequent errors, most frequent first
  std::vector<CoveragePoint> curve;         // coverage 0.1, 0.2, ... 1.0
  std::vector<CoveragePoint> fine_curve;    // coverage 0.01, 0.02, ... 1.00
  std::vector<CalibrationBin> calibration;  // the 15 bins of `ece`
};

Metrics Measure(std::span<const Prediction> predictions, const std::vector<std::string>& categories);

// The `count` most frequent errors of a table, most frequent first.
std::vector<Confusion> MostConfused(const Metrics& metrics, std::size_t count);

// The temperature that minimises the mean -ln p(truth) of probabilities^(1/T), renormalised (Guo et al. 2017, section
// 4.2); searched in [0.2, 10] to 0.1 %.
double FitTemperature(std::span<const Prediction> predictions);

// The smallest value at or under which at least `coverage` of the values lie; 0 without any.
double ValueAtCoverage(std::vector<double> values, double coverage);

// That of the predictions' entropies.
double EntropyAtCoverage(std::span<const Prediction> predictions, double coverage);

}  // namespace pointsman::offline
