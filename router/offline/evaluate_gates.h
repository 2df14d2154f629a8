// router/offline/evaluate_gates.h: `pointsman evaluate gates`: how often each form of gate finds the right expert.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pointsman/v1/artifact.pb.h"
#include "router/classifier/expert_gates.h"
#include "router/offline/rows.h"

namespace pointsman::offline {

// Gates are trained: one for each label of `rows`, on that label's rows and the pool alone.
struct EvaluateTrainedGatesOptions {
  RowOptions rows, test, pool;                           // the labels of `test` are those of `rows`
  std::shared_ptr<const v1::StaticEmbedding> embedding;  // also of the joint classifier
  std::uint64_t seed = 1;
  std::function<void(std::string_view stage, double share)> progress;  // may be empty
};

// Gates that exist: their experts' names are the labels of `rows`.
struct EvaluateGateFilesOptions {
  std::vector<std::filesystem::path> gates;
  std::filesystem::path classifier;  // whose token vectors the gates were trained with
  RowOptions rows;                   // a label that no gate has is a bad row
  std::function<void(std::string_view stage, double share)> progress;  // may be empty
};

struct GateFormFigures {
  std::string name;           // of the form, or "joint"
  double top1 = 0, top2 = 0;  // share of the test rows whose expert is the first, or one of the first two, [0, 1]
  double temperature = 1;     // fitted on rows that the gates had not seen
  double ece = 0;             // calibration error of softmax(logits / temperature), 15 bins, [0, 1]
  double behind_joint = 0;    // top1 of the joint classifier minus this one, and its standard error over the same rows
  double behind_joint_se = 0;
};

struct GatesEvaluation {
  std::vector<std::string> experts;
  std::size_t rows = 0, pool_rows = 0, test_rows = 0;
  std::uint64_t bad = 0;                 // rows left out, of all files
  std::vector<GateFormFigures> forms;    // in the order of kGateForms
  std::optional<GateFormFigures> joint;  // one classifier, trained on all experts' rows at once
  double standard_error = 0;             // of a top1 near that of the ensemble
  double add_seconds = 0;   // median over the experts: read the own texts and fit the gate, the pool being prepared
  double pool_seconds = 0;  // to prepare the pool
  double joint_seconds = 0;
  double gate_bytes = 0;                              // mean of a serialised gate
  double microseconds_p50 = 0, microseconds_p99 = 0;  // of Logits of the form `ensemble`, all gates, one thread
  double mean_bytes = 0;                              // of a test text
};

// One gate for each label of the training rows, and the classifier that is trained on all of them at once
// (fit_classifier.h). The temperature is fitted on a fifth of the training rows, by gates without them. Texts of the
// pool that are test rows, or own prompts of the gate at hand, do not count. Errors: those of the rows, fewer than two
// labels, a label with too few rows. Blocking, one thread, minutes.
Result<GatesEvaluation> EvaluateTrainedGates(const EvaluateTrainedGatesOptions& options);

// The temperature is fitted on all rows; the calibration error is that of each half of the rows with the temperature of
// the other half.
Result<GatesEvaluation> EvaluateGateFiles(const EvaluateGateFilesOptions& options);

std::string EvaluationText(const GatesEvaluation& evaluation);
std::string EvaluationJson(const GatesEvaluation& evaluation);

}  // namespace pointsman::offline
