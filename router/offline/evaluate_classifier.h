// router/offline/evaluate_classifier.h: how good a classifier artifact is on labelled rows it has not seen.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "router/classifier/conversation.h"
#include "router/offline/metrics.h"
#include "router/offline/rows.h"
#include "router/offline/train_encoder.h"

namespace pointsman::offline {

// The encoder lane (router/classifier/encoder_lane.h), to be measured as the router would use it.
struct EvaluateEncoderLane {
  std::filesystem::path head;  // made for the artifact
  double share = 0.2;          // (0, 1]: rows whose margin is under the head's quantile for it are escalated
  EmbedTexts embed;
};

struct EvaluateClassifierOptions {
  std::filesystem::path artifact;
  std::optional<EvaluateEncoderLane> encoder;
  RowOptions rows;                             // labels that the artifact lacks are bad rows
  classifier::PartWeights weights;             // of the rows' history and system prompt, where they have them
  std::vector<std::filesystem::path> foreign;  // rows of none of the categories; their text field is rows.text_field
  std::function<void(std::string_view stage, double share)> progress;  // may be empty
};

struct ClassifierEvaluation {
  Metrics metrics;
  double top3 = 0;                      // share of rows whose label is among the three likeliest, [0, 1]
  double auroc_correct = 0;             // how well the largest probability tells right answers from wrong ones, [0, 1]
  std::size_t foreign = 0;              // rows
  std::optional<double> auroc_foreign;  // how well novelty tells foreign rows from the others
  std::optional<double> foreign_found;  // share of the foreign rows that are uncertain
  double uncertain = 0;                 // share of the labelled rows that are uncertain
  double microseconds_p50 = 0, microseconds_p99 = 0;  // of one Classify, features and all, one thread; no encoder
  double mean_bytes = 0;                              // of a text
  std::optional<double> escalated;  // share of the labelled rows that the encoder lane refined; with one only
  std::uint64_t bad = 0;
  std::vector<std::string> bad_examples;
};

// Blocking, one thread but for the encoder's. With an encoder lane every row whose margin is small is escalated: the
// router's budget and timeout are those of live traffic and are not simulated. Errors name the file, and the row where
// it is one; a head of another classifier or encoder is one.
Result<ClassifierEvaluation> EvaluateClassifier(const EvaluateClassifierOptions& options);

std::string EvaluationText(const ClassifierEvaluation& evaluation);
// One object: n, accuracy, macro_f1, top3, ece, nll, auroc_correct, microseconds_p50, microseconds_p99, ... and with
// foreign rows auroc_foreign. Shares are in [0, 1].
std::string EvaluationJson(const ClassifierEvaluation& evaluation);

// The chance that a random one of `above` is larger than a random one of `below`, equal ones counting half (the area
// under the ROC curve; Hanley and McNeil 1982). 0.5 when either is empty. Changes the order of both.
double Auroc(std::vector<double> above, std::vector<double> below);

}  // namespace pointsman::offline
