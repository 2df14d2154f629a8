// router/offline/train_predictor.h: scored rows -> predictor artifact and a report of how good it is.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "router/offline/fit_predictor.h"
#include "router/offline/pair_rows.h"

namespace pointsman::offline {

struct TrainPredictorOptions {
  std::vector<std::filesystem::path> rows;
  std::vector<std::string> experts;     // names in the rows; empty = all that the first row has
  std::string text_field, label_field;  // ScoredOptions
  std::optional<HashRange> range;
  std::string source, licence;  // recorded in the artifact; "" = not known
  PredictorOptions fit;
  std::filesystem::path out;
  std::function<void(std::string_view, double)> progress;  // may be empty
};

struct PredictedExpert {
  std::string name;
  double quality = 0;      // mean over the rows
  double correlation = 0;  // of prediction with quality over the rows, [-1, 1]; 0 where one of them is constant
};

// Every figure is of predictions by fits that did not see the row (5 folds).
struct TrainPredictorReport {
  std::size_t rows = 0;
  std::uint64_t contaminated = 0;  // rows left out
  std::vector<PredictedExpert> experts;
  std::size_t best = 0;       // the expert with the best mean
  double predicted_best = 0;  // mean quality when each row goes to the expert predicted to be best
  double oracle = 0;          // mean quality of each row's best expert
  std::vector<StackWeight> stack;
  double seconds = 0;
  std::filesystem::path out;
  std::string checksum;
  std::uintmax_t artifact_bytes = 0;
};

// Errors: those of the rows and of FitPredictor; a file that cannot be written. Blocking.
Result<TrainPredictorReport> TrainPredictor(const TrainPredictorOptions& options);

std::string ReportJson(const TrainPredictorReport& report);
std::string ReportText(const TrainPredictorReport& report);

}  // namespace pointsman::offline
