#include "router/classifier/ensemble.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "router/classifier/artifact.h"
#include "router/classifier/contradiction.h"
#include "router/classifier/features.h"

namespace pointsman::classifier {
namespace {

constexpr float kLeastLogProbability = -20.7F;  // 1e-9: no view can rule a category out

}  // namespace

std::string Flaw(const v1::Ensemble& ensemble, std::size_t views, std::size_t dimensions, std::size_t categories) {
  if (static_cast<std::size_t>(ensemble.weights_size()) != views) return "the ensemble has not a weight for each view";
  for (const float weight : ensemble.weights()) {
    if (!(weight >= 0) || !std::isfinite(weight)) return "a weight of the ensemble is negative or not a number";
  }
  if (static_cast<std::size_t>(ensemble.whitening_size()) != dimensions * dimensions ||
      static_cast<std::size_t>(ensemble.means_size()) != dimensions * categories) {
    return "its whitening or its means have the wrong size";
  }
  if (!(ensemble.contradiction_threshold() >= 0)) return "its threshold of contradiction is negative or not a number";
  const auto finite = [](float value) { return std::isfinite(value); };
  if (!finite(ensemble.novelty_entropy()) || !finite(ensemble.novelty_nearest()) ||
      !finite(ensemble.novelty_distance()) || !finite(ensemble.novelty_threshold()) ||
      !std::all_of(ensemble.whitening().begin(), ensemble.whitening().end(), finite) ||
      !std::all_of(ensemble.means().begin(), ensemble.means().end(), finite)) {
    return "the measure of novelty is not a number";
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

// Eight sums side by side: a vector type of the compiler (gcc, clang), for every machine; wide where there is AVX2.
#if defined(__x86_64__)
__attribute__((target_clones("avx2", "default")))
#endif
float NearestMean(std::span<const float> whitening, std::span<const float> means, std::span<const float> vector) {
  constexpr std::size_t kWide = 8;
  using Floats [[gnu::vector_size(4 * kWide)]] = float;
  const std::size_t size = vector.size();
  alignas(sizeof(Floats)) std::array<float, kMaxDimensions> white;
  Floats x, y;
  for (std::size_t d = 0; d < size; ++d) {
    Floats sum{};
    for (std::size_t e = 0; e <= d; e += kWide) {  // what lies above the diagonal is 0
      std::memcpy(&x, &whitening[d * size + e], sizeof x);
      std::memcpy(&y, &vector[e], sizeof y);
      sum += x * y;
    }
    white[d] = ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
  }
  float nearest = std::numeric_limits<float>::max();
  for (std::size_t mean = 0; mean < means.size(); mean += size) {
    Floats sum{};
    for (std::size_t d = 0; d < size; d += kWide) {
      std::memcpy(&x, &white[d], sizeof x);
      std::memcpy(&y, &means[mean + d], sizeof y);
      const Floats off = x - y;
      sum += off * off;
    }
    nearest = std::min(nearest, ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7])));
  }
  return nearest;
}

EnsembleModel::EnsembleModel(const v1::Artifact& artifact, std::string checksum,
                             std::optional<double> entropy_threshold)
    : EnsembleModel(artifact, CopyTables(artifact), std::move(checksum), entropy_threshold) {}

EnsembleModel::EnsembleModel(const v1::Artifact& artifact, const ArtifactTables& tables, std::string checksum,
                             std::optional<double> entropy_threshold)
    : linear_(artifact.classifier(), tables.idf, tables.weights, std::move(checksum), entropy_threshold),
      max_bytes_(artifact.classifier().max_bytes()),
      embedding_(artifact.embedding(), tables.vectors),
      neighbours_(artifact.neighbours(), tables.neighbours,
                  static_cast<std::size_t>(artifact.classifier().categories_size())),
      weights_(artifact.ensemble().weights().begin(), artifact.ensemble().weights().end()),
      whitening_(artifact.ensemble().whitening().begin(), artifact.ensemble().whitening().end()),
      means_(artifact.ensemble().means().begin(), artifact.ensemble().means().end()),
      novelty_entropy_(artifact.ensemble().novelty_entropy()),
      novelty_nearest_(artifact.ensemble().novelty_nearest()),
      novelty_distance_(artifact.ensemble().novelty_distance()),
      novelty_threshold_(artifact.ensemble().novelty_threshold()),
      contradiction_threshold_(artifact.ensemble().contradiction_threshold()),
      entropy_threshold_(entropy_threshold.value_or(artifact.classifier().entropy_threshold())) {}

policies::Evidence EnsembleModel::Classify(std::string_view text) const {
  policies::Evidence evidence = linear_.Logits(text);
  std::array<float, kMaxDimensions> vector;
  const std::span<float> used(vector.data(), embedding_.dimensions());
  const std::size_t count = categories().size();
  float* const p = evidence.probabilities.data();
  std::array<float, kMaxCategories> logits;
  std::copy_n(p, count, logits.begin());
  Normalise(evidence);
  const double linear_entropy = evidence.entropy;
  float nearest = -1;
  if (EmbedText(embedding_, text, max_bytes_, used)) {
    thread_local std::vector<float> shares;
    shares.resize(neighbours_.views() * count);
    nearest = neighbours_.LogShares(used, shares);
    const std::size_t likeliest = evidence.likeliest;
    const float norm = logits[likeliest] - std::log(p[likeliest]);  // ln p = logit - norm
    for (std::size_t c = 0; c < count; ++c) p[c] = weights_[0] * std::max(logits[c] - norm, kLeastLogProbability);
    for (std::size_t v = 0; v < neighbours_.views(); ++v) {
      for (std::size_t c = 0; c < count; ++c) p[c] += weights_[v + 1] * shares[v * count + c];
    }
    Normalise(evidence);
  }
  const float distance = NearestMean(whitening_, means_, used);
  evidence.novelty = novelty_entropy_ * linear_entropy - novelty_nearest_ * nearest + novelty_distance_ * distance;
  evidence.entropy_threshold = entropy_threshold_;
  evidence.novelty_threshold = novelty_threshold_;
  evidence.foreign = evidence.novelty > novelty_threshold_;
  if (contradiction_threshold_ > 0 && text.size() >= kContradictionBytes) {
    evidence.contradiction = Contradiction(linear_, text, max_bytes_);
    evidence.contradiction_threshold = contradiction_threshold_;
    evidence.mixed = evidence.contradiction > contradiction_threshold_;
  }
  evidence.uncertain = evidence.foreign || evidence.mixed || evidence.entropy > entropy_threshold_;
  return evidence;
}

bool EnsembleModel::Embed(std::string_view text, std::span<float> vector) const {
  return EmbedText(embedding_, text, max_bytes_, vector);
}

std::vector<std::pair<std::string, double>> EnsembleModel::Explain(std::string_view text, std::size_t category,
                                                                   std::size_t count) const {
  return linear_.Explain(text, category, count);
}

}  // namespace pointsman::classifier
