// router/offline/train_gate.h: `pointsman train gate`: one expert's own prompts -> its gate's file and a report.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pointsman/v1/artifact.pb.h"
#include "router/offline/rows.h"

namespace pointsman::offline {

struct TrainGateOptions {
  std::string expert;
  RowOptions rows;  // the expert's own prompts; their labels are not read
  RowOptions pool;  // texts that are nobody's; one that is an own prompt as well does not count
  std::shared_ptr<const v1::StaticEmbedding> embedding;  // of the classifier that will be served with the gate
  std::string source, licence;                           // of the own prompts, recorded in the file; "" = not known
  std::uint64_t seed = 1;
  std::filesystem::path out;
  std::function<void(std::string_view stage, double share)> progress;  // may be empty; called in the calling thread
};

struct TrainGateReport {
  std::string expert;
  std::size_t rows = 0, pool_rows = 0;  // that were learnt from
  std::size_t examples = 0;             // own prompts that are kept as vectors
  std::size_t shared = 0;               // texts of the pool that are own prompts, left out
  std::uint64_t duplicates = 0, bad = 0;
  std::vector<std::string> bad_examples;
  double auroc = 0;    // of the form `ensemble`, own prompts against the pool, each by a gate without it (4 folds)
  double seconds = 0;  // to read the texts and fit the gate, wall clock, without the cross-validation
  std::filesystem::path out;
  std::uintmax_t bytes = 0;
  std::string checksum;
};

// Reads, fits, writes. Blocking, one thread, seconds. Errors: those of the rows; fewer than 8 own prompts or texts of
// the pool; no token vectors; a file that cannot be written.
Result<TrainGateReport> TrainGate(const TrainGateOptions& options);

std::string ReportText(const TrainGateReport& report);
std::string ReportJson(const TrainGateReport& report);

}  // namespace pointsman::offline
