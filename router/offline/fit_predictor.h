// router/offline/fit_predictor.h: scored rows -> a model of each expert's quality.
//
// Two things are learnt apart, because they differ in size: the rows' mean score over the experts, and each expert's
// deviation from it. For each, several ridge regressions (ridge.h) are fitted:
//   - on hashed n-grams, to the value itself, at penalties from weak to strong;
//   - on the same, to the mean value of the row's label (shrunk towards the mean of all): it has less noise;
//   - on the statistics of the text;
//   - on the text's vector (static_embedding.h), where there is an embedding, to both: it knows what is said alike in
//     other words, and so carries over to texts of another kind.
// A stack (Wolpert 1992; with non-negative weights as Breiman 1996, "Stacked regressions") weighs them by what each
// says of rows that it was not fitted on. All are linear, hence so is the sum.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pointsman/v1/artifact.pb.h"
#include "router/offline/pair_rows.h"

namespace pointsman::offline {

struct PredictorOptions {
  std::uint32_t bucket_bits = 18;                                  // 8 to 22
  std::uint32_t max_bytes = 2048;                                  // of a text; 64 to 16384
  std::shared_ptr<const v1::StaticEmbedding> embedding = nullptr;  // null: no vectors
};

struct StackWeight {
  std::string name;              // of the regression
  double in_mean, in_deviation;  // >= 0; the latter a mean over the experts
};

struct PredictorFit {
  v1::Predictor model;              // has no Flaw()
  std::vector<float> cross_fitted;  // row-major [rows][experts]: predictions by fits that did not see the row
  std::vector<StackWeight> stack;
};

// At least 50 rows. Which rows are fitted together depends on their texts alone. One thread; equal rows and options
// give equal bytes. `progress` gets the stage and the share of it; may be empty.
Result<PredictorFit> FitPredictor(std::span<const ScoredRow> rows, const std::vector<std::string>& experts,
                                  const PredictorOptions& options,
                                  const std::function<void(std::string_view, double)>& progress);

}  // namespace pointsman::offline
