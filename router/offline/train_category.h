// router/offline/train_category.h: `pointsman train category`: rows added to a finished classifier artifact.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "router/offline/rows.h"

namespace pointsman::offline {

struct TrainCategoryOptions {
  std::filesystem::path artifact;  // to add to
  RowOptions rows;                 // without a label field all rows are of `label`
  std::string label;
  std::string source, licence;  // of the rows, recorded in the artifact; licence "" = NOASSERTION
  std::filesystem::path out;    // may be `artifact`
  std::function<void(std::string_view stage, double share)> progress;  // may be empty; called in the calling thread
};

struct AddedCategory {
  std::string name;
  bool fresh = false;      // the artifact lacked it
  std::size_t rows = 0;    // added
  std::size_t before = 0;  // rows of it that the artifact had
  std::size_t found =
      0;  // added rows that are put in it by an artifact to which they were not added (cross-validation)
};

struct TrainCategoryReport {
  std::vector<AddedCategory> added;  // by name
  std::size_t categories = 0;        // of the artifact that was written
  unsigned folds = 0;                // of the cross-validation
  std::uint64_t duplicates = 0, bad = 0;
  std::vector<std::string> bad_examples;
  std::filesystem::path out;
  std::uint64_t artifact_bytes = 0;
  std::string before, checksum;  // of `artifact` and of `out`
};

// Reads, adds, writes. Blocking, one thread, seconds. Errors name the file, the option or the row: an artifact without
// neighbours, no rows, fewer than two rows of a new category, more than 256 categories.
Result<TrainCategoryReport> TrainCategory(const TrainCategoryOptions& options);

std::string ReportText(const TrainCategoryReport& report);
std::string ReportJson(const TrainCategoryReport& report);

}  // namespace pointsman::offline
