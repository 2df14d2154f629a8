// router/offline/posteriors.h: category distributions of rows, each from a classifier that did not see the row.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pointsman/v1/artifact.pb.h"
#include "router/offline/kernel_ridge.h"

namespace pointsman::offline {

inline constexpr std::size_t kCrossFitFolds = 5;  // row i is in fold i % kCrossFitFolds

struct Posteriors {
  Matrix train;  // a row for each training text, from a classifier fitted without its fold
  Matrix test;   // a row for each test text, from a classifier fitted on all training texts
};

// Fits calibrated classifiers (fit_classifier.h, its default options but for the folds and `embedding`, which may be
// null). In-sample distributions are over-confident, hence the folds. Errors: those of FitClassifier. `progress` gets
// the share done.
Result<Posteriors> CrossFitPosteriors(const std::vector<std::string_view>& train,
                                      const std::vector<std::uint32_t>& labels,
                                      const std::vector<std::string>& categories,
                                      const std::vector<std::string_view>& test,
                                      const std::shared_ptr<const v1::StaticEmbedding>& embedding,
                                      const std::function<void(double)>& progress);

}  // namespace pointsman::offline
