// router/offline/train_classifier.h: labelled rows -> classifier artifact and a report of how good it is.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "router/offline/metrics.h"
#include "router/offline/rows.h"
#include "router/offline/softmax.h"

namespace pointsman::offline {

struct TrainOptions {
  RowOptions rows;
  FitOptions fit;
  std::map<std::string, std::string> licences;  // source name -> SPDX identifier; others are NOASSERTION
  double holdout = 0.1;    // share of the rows that calibrate and measure, (0, 0.5]; chosen by a hash of the text
  double coverage = 0.95;  // share of held-out rows that shall be certain, (0, 1]: sets the entropy threshold
  std::filesystem::path out;
  std::function<void(std::string_view stage, double share)> progress;  // may be empty; called in the calling thread
};

struct SourceRows {
  std::string name, licence;
  std::size_t rows = 0;
};

// The held-out figures are those of a model that was fitted without the held-out rows. The artifact's weights were then
// fitted on all rows, with that model's temperature and threshold: it cannot be measured on these rows.
struct TrainReport {
  std::vector<std::string> categories;
  std::vector<SourceRows> sources;
  std::size_t rows = 0, held_out = 0;
  std::uint64_t dropped = 0, duplicates = 0, bad = 0;
  std::vector<std::string> bad_examples;
  Metrics metrics;              // with the fitted temperature
  double ece_uncalibrated = 0;  // at temperature 1
  double temperature = 1;
  double entropy_threshold = 0;  // nats
  double coverage = 0;           // share of held-out rows that are certain
  double accuracy_certain = 0;   // of those
  std::filesystem::path out;
  std::uint64_t artifact_bytes = 0;
  std::string checksum;
};

// Reads, fits twice, writes `options.out`. Blocking, one thread. Errors say which option or which row is wrong.
Result<TrainReport> TrainClassifier(const TrainOptions& options);

std::string ReportText(const TrainReport& report);
std::string ReportJson(const TrainReport& report);

}  // namespace pointsman::offline
