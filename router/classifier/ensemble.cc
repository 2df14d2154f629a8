#include "router/classifier/ensemble.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "router/classifier/artifact.h"
#include "router/classifier/features.h"

namespace pointsman::classifier {

std::string Flaw(const v1::Ensemble& ensemble, std::size_t views) {
  if (static_cast<std::size_t>(ensemble.weights_size()) != views) return "the ensemble has not a weight for each view";
  for (const float weight : ensemble.weights()) {
    if (!(weight >= 0) || !std::isfinite(weight)) return "a weight of the ensemble is negative or not a number";
  }
  for (const float value : {ensemble.novelty_entropy(), ensemble.novelty_nearest(), ensemble.novelty_threshold()}) {
    if (!std::isfinite(value)) return "the measure of novelty is not a number";
  }
  return "";
}

bool EmbedText(const StaticEmbedding& embedding, std::string_view text, std::size_t max_bytes,
               std::span<float> vector) {
  std::fill(vector.begin(), vector.end(), 0.0F);
  std::size_t tokens = 0;
  ForEachPiece(text, max_bytes, [&](std::string_view piece) { tokens += embedding.Add(piece, vector.data()); });
  float squares = 0;
  for (const float value : vector) squares += value * value;
  if (tokens == 0 || !(squares > 0)) return false;
  const float scale = 1 / std::sqrt(squares);
  for (float& value : vector) value *= scale;
  return true;
}

EnsembleModel::EnsembleModel(const v1::Artifact& artifact, std::string checksum,
                             std::optional<double> entropy_threshold)
    : linear_(artifact.classifier(), std::move(checksum), entropy_threshold),
      max_bytes_(artifact.classifier().max_bytes()),
      embedding_(artifact.embedding()),
      neighbours_(artifact.neighbours(), static_cast<std::size_t>(artifact.classifier().categories_size())),
      weights_(artifact.ensemble().weights().begin(), artifact.ensemble().weights().end()),
      novelty_entropy_(artifact.ensemble().novelty_entropy()),
      novelty_nearest_(artifact.ensemble().novelty_nearest()),
      novelty_threshold_(artifact.ensemble().novelty_threshold()),
      entropy_threshold_(entropy_threshold.value_or(artifact.classifier().entropy_threshold())) {}

policies::Evidence EnsembleModel::Classify(std::string_view text) const {
  policies::Evidence evidence = linear_.Classify(text);
  std::array<float, kMaxDimensions> vector;
  const std::span<float> used(vector.data(), embedding_.dimensions());
  const std::size_t count = categories().size();
  const double linear_entropy = evidence.entropy;
  float nearest = -1;
  if (EmbedText(embedding_, text, max_bytes_, used)) {
    thread_local std::vector<float> shares;
    shares.resize(neighbours_.views() * count);
    nearest = neighbours_.LogShares(used, shares);
    float* const p = evidence.probabilities.data();
    for (std::size_t c = 0; c < count; ++c) p[c] = weights_[0] * std::log(std::max(p[c], 1e-9F));
    for (std::size_t v = 0; v < neighbours_.views(); ++v) {
      for (std::size_t c = 0; c < count; ++c) p[c] += weights_[v + 1] * shares[v * count + c];
    }
    Normalise(evidence);
  }
  evidence.novelty = novelty_entropy_ * linear_entropy - novelty_nearest_ * nearest;
  evidence.entropy_threshold = entropy_threshold_;
  evidence.foreign = evidence.novelty > novelty_threshold_;
  evidence.uncertain = evidence.foreign || evidence.entropy > entropy_threshold_;
  return evidence;
}

std::vector<std::pair<std::string, double>> EnsembleModel::Explain(std::string_view text, std::size_t category,
                                                                   std::size_t count) const {
  return linear_.Explain(text, category, count);
}

}  // namespace pointsman::classifier
