// router/offline/train_classifier.h: labelled rows -> classifier artifact and a report of how good it is.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "router/offline/fit_classifier.h"
#include "router/offline/metrics.h"
#include "router/offline/rows.h"

namespace pointsman::offline {

struct TrainOptions {
  RowOptions rows;
  std::vector<std::filesystem::path> unlabelled;  // files of rows with a text (rows.text_field) and no label
  ClassifierOptions fit;                          // all but its texts without a label
  std::map<std::string, std::string> licences;    // source name -> SPDX identifier; others are NOASSERTION
  std::filesystem::path out;
  std::function<void(std::string_view stage, double share)> progress;  // may be empty; called in the calling thread
};

struct SourceRows {
  std::string name, licence;
  std::size_t rows = 0;
};

// What rows without a label did. The accuracies are out of fold, on the labelled rows.
struct UnlabelledReport {
  std::size_t rows = 0;            // texts that no labelled row has, each once
  std::vector<std::size_t> taken;  // by category: those that joined the training
  double accuracy_without = 0, accuracy_with = 0;
  double gain_error = 0;  // standard error of their difference, row by row
};

// The figures are those of models fitted without the fold that they are measured on. The artifact's weights were then
// fitted on all rows: it cannot be measured on these rows.
struct TrainReport {
  std::vector<std::string> categories;
  std::vector<SourceRows> sources;
  std::size_t rows = 0;
  unsigned folds = 0;
  std::uint64_t dropped = 0, duplicates = 0, bad = 0;
  std::vector<std::string> bad_examples;
  Metrics metrics;
  Metrics linear;                   // of the linear view alone, not calibrated
  double temperature = 1;           // of a linear model alone
  std::vector<float> view_weights;  // of an ensemble: the linear view, then one for each sharpness
  double entropy_threshold = 0;     // nats
  double coverage = 0;              // share of the rows that are certain
  double accuracy_certain = 0;      // of those
  std::optional<UnlabelledReport> unlabelled;
  std::filesystem::path out;
  std::uint64_t artifact_bytes = 0;
  std::string checksum;
};

// Reads, fits folds + 1 times (twice that with unlabelled rows, to measure what they do), writes `options.out`.
// Blocking, one thread. Errors say which option or which row is wrong.
Result<TrainReport> TrainClassifier(const TrainOptions& options);

std::string ReportText(const TrainReport& report);
std::string ReportJson(const TrainReport& report);
// One HTML page that needs nothing else: the report's tables, its confusions, calibration and coverage as plots.
std::string TrainPage(const TrainReport& report);

}  // namespace pointsman::offline
