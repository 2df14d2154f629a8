// router/offline/fit_classifier.h: labelled texts -> the fast lane, calibrated (router/classifier/ensemble.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "router/classifier/classifier.h"
#include "router/offline/metrics.h"
#include "router/offline/softmax.h"

namespace pointsman::offline {

struct ClassifierOptions {
  FitOptions linear;
  unsigned folds = 4;                    // 2 to 20; every row is predicted by a model fitted without its fold
  double coverage = 0.95;                // share of the rows that shall be certain, (0, 1]
  std::vector<float> sharpness{12, 25};  // views of the neighbours
  std::shared_ptr<const v1::StaticEmbedding> embedding;  // none: the linear model alone
  // Texts without a label, which the nearest labelled rows label (label_rows.h). They need an embedding.
  std::vector<std::string_view> unlabelled;
  double unlabelled_confidence = 0.7;  // the vote's share from which a text joins the training, [0, 1]
};

struct FittedClassifier {
  v1::Artifact artifact;                 // the model's parts; sources, report and seed are the caller's
  std::vector<Prediction> out_of_fold;   // [i] of examples[i], calibrated, by a model that has not seen its fold
  std::vector<Prediction> uncalibrated;  // the same of the linear view, at temperature 1
  std::vector<std::size_t> taken;        // by category: unlabelled texts that joined the training of `artifact`
};

// Which fold a text is in, [0, folds). Depends on the text alone: not on the order of the rows, the other rows or the
// seed.
unsigned FoldOf(std::string_view text, unsigned folds);

// Whether a text is among the `share` of all texts that are held out. Depends on the text alone, and not on its fold.
bool HeldOut(std::string_view text, double share);

// Fits folds + 1 linear models, the clusters, and the weights of the views (or the temperature) on the predictions out
// of fold; sets the entropy threshold and, with an embedding, the threshold of novelty, each to `coverage`. A fold's
// unlabelled texts get the labels that the other folds' rows give them. One thread; equal input, options and program
// give equal bytes. Errors: fewer than 2 or more than 256 categories, a fold without rows. Blocking; `progress` gets
// the share done and may be empty.
Result<FittedClassifier> FitClassifier(std::span<const Example> examples, const std::vector<std::string>& categories,
                                       const ClassifierOptions& options, const std::function<void(double)>& progress);

// The classifier of a fit, to classify with at once.
std::shared_ptr<const classifier::Classifier> Served(const v1::Artifact& artifact);

// The embedding in an artifact. Errors name the file.
Result<std::shared_ptr<const v1::StaticEmbedding>> ReadEmbedding(const std::filesystem::path& file);

// That of the classifier which comes with the program; none when that file is missing or has none.
std::shared_ptr<const v1::StaticEmbedding> DefaultEmbedding();

}  // namespace pointsman::offline
