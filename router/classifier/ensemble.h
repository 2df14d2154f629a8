// router/classifier/ensemble.h: the fast lane: the linear n-gram model and the nearest rows of training, added up.
//
// Their errors differ: n-grams know the words of a field, neighbours know what is said in other words. log p(c) = sum
// over the views of weight * ln p_view(c), renormalised (a product of experts: Hinton 2002, section 1); the weights,
// fitted on rows that no view has seen, are the calibration too.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pointsman/v1/artifact.pb.h"
#include "router/classifier/artifact_tables.h"
#include "router/classifier/classifier.h"
#include "router/classifier/linear.h"
#include "router/classifier/neighbours.h"
#include "router/classifier/static_embedding.h"

namespace pointsman::classifier {

// What is wrong with the ensemble's numbers, or "".
std::string Flaw(const v1::Ensemble& ensemble, std::size_t views, std::size_t dimensions, std::size_t categories);

// The squared distance of whitening * vector to the nearest of the means (artifact.proto). `vector` has D values, at
// most kMaxDimensions.
float NearestMean(std::span<const float> whitening, std::span<const float> means, std::span<const float> vector);

class EnsembleModel final : public Classifier {
 public:
  // None of the parts has a Flaw().
  EnsembleModel(const v1::Artifact& artifact, std::string checksum, std::optional<double> entropy_threshold);
  // The same with the artifact's tables where they are; `artifact` need not have them.
  EnsembleModel(const v1::Artifact& artifact, const ArtifactTables& tables, std::string checksum,
                std::optional<double> entropy_threshold);

  policies::Evidence Classify(std::string_view text) const override;
  // The linear view's features: neighbours have none.
  std::vector<std::pair<std::string, double>> Explain(std::string_view text, std::size_t category,
                                                      std::size_t count) const override;
  bool Embed(std::string_view text, std::span<float> vector) const override;
  std::size_t dimensions() const override { return embedding_.dimensions(); }
  const std::vector<std::string>& categories() const override { return linear_.categories(); }
  std::string_view checksum() const override { return linear_.checksum(); }

 private:
  LinearModel linear_;
  std::size_t max_bytes_;
  StaticEmbedding embedding_;
  Neighbours neighbours_;
  std::vector<float> weights_;
  std::vector<float> whitening_, means_;
  double novelty_entropy_, novelty_nearest_, novelty_distance_, novelty_threshold_;
  double contradiction_threshold_;  // 0 = not measured
  double entropy_threshold_;
};

// The unit vector of what is read of `text`; false for a text without a known token, whose vector is zero. `vector` has
// dimensions() values.
bool EmbedText(const StaticEmbedding& embedding, std::string_view text, std::size_t max_bytes, std::span<float> vector);

}  // namespace pointsman::classifier
