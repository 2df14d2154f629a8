#include "router/offline/add_rows.h"

#include <algorithm>
#include <cmath>

#include "router/classifier/ensemble.h"
#include "router/classifier/features.h"
#include "router/classifier/static_embedding.h"
#include "router/offline/extend_linear.h"
#include "router/offline/extend_neighbours.h"
#include "router/offline/rehearsal.h"

namespace pointsman::offline {
namespace {

constexpr std::size_t kRehearsed = 800;

// The rows' vectors, row-major, and the mean length of the sums of token vectors that they were made of.
struct Embedded {
  std::vector<float> vectors;
  float length = 0;
};

Embedded Embed(std::span<const Example> rows, const v1::Artifact& artifact) {
  const classifier::StaticEmbedding embedding(artifact.embedding());
  const std::size_t dimensions = embedding.dimensions(), max_bytes = artifact.classifier().max_bytes();
  Embedded result{std::vector<float>(rows.size() * dimensions), 0};
  std::vector<float> sum(dimensions);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    classifier::EmbedText(embedding, rows[i].text, max_bytes, {&result.vectors[i * dimensions], dimensions});
    std::fill(sum.begin(), sum.end(), 0.0F);
    classifier::ForEachPiece(rows[i].text, max_bytes,
                             [&](std::string_view piece) { embedding.Add(piece, sum.data()); });
    float squares = 0;
    for (const float value : sum) squares += value * value;
    result.length += std::sqrt(squares) / static_cast<float>(rows.size());
  }
  return result;
}

// Of the artifact's rows, by category.
std::vector<std::size_t> CountRows(const v1::Neighbours& neighbours, std::size_t categories) {
  std::vector<std::size_t> rows(categories);
  for (const char label : neighbours.labels()) ++rows[static_cast<std::uint8_t>(label)];
  return rows;
}

// The mean over all rows of a category, of which `before` are in the artifact.
void MoveMean(std::span<const float> vectors, std::span<const std::uint8_t> labels, std::uint8_t category,
              std::size_t before, v1::Ensemble& ensemble) {
  const std::size_t dimensions = vectors.size() / labels.size();
  std::vector<double> sum(dimensions);
  std::size_t rows = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] != category) continue;
    ++rows;
    for (std::size_t d = 0; d < dimensions; ++d) sum[d] += vectors[i * dimensions + d];
  }
  for (std::size_t d = 0; d < dimensions; ++d) {
    double white = 0;
    for (std::size_t e = 0; e <= d; ++e) {
      white += ensemble.whitening(static_cast<int>(d * dimensions + e)) * sum[e] / static_cast<double>(rows);
    }
    const auto at = static_cast<int>(category * dimensions + d);
    const double share = static_cast<double>(rows) / static_cast<double>(rows + before);
    ensemble.set_means(at, static_cast<float>((1 - share) * ensemble.means(at) + share * white));
  }
}

}  // namespace

std::vector<RehearsalText> RehearseFor(std::span<const Example> rows, const v1::Artifact& artifact) {
  const Embedded embedded = Embed(rows, artifact);
  return Rehearse(artifact, embedded.vectors, embedded.length, kRehearsed, artifact.seed());
}

void AddRows(std::span<const Example> rows, std::span<const std::string> names, std::span<const RehearsalText> old,
             v1::Artifact& artifact) {
  if (rows.empty()) return;
  const auto known = static_cast<std::size_t>(artifact.classifier().categories_size());
  const std::size_t categories = known + names.size(), stored = artifact.neighbours().labels().size();
  const Embedded embedded = Embed(rows, artifact);
  std::vector<std::uint8_t> labels;
  for (const Example& row : rows) labels.push_back(static_cast<std::uint8_t>(row.label));
  const std::vector<std::size_t> before = CountRows(artifact.neighbours(), categories);
  std::vector<std::size_t> added(categories);
  for (const std::uint8_t label : labels) ++added[label];
  const double usual = static_cast<double>(stored) / static_cast<double>(known);

  std::vector<WeightedText> texts;
  for (const RehearsalText& text : old) texts.push_back({text.text, text.category, text.weight, false});
  for (const Example& row : rows) {
    const double missing = usual - static_cast<double>(before[row.label]);
    texts.push_back({row.text, row.label, std::max(1.0, missing / static_cast<double>(added[row.label])), true});
  }
  ExtendOptions options;
  options.old_texts = stored;
  ExtendLinear(texts, names, options, *artifact.mutable_classifier());

  v1::Neighbours& neighbours = *artifact.mutable_neighbours();
  ExtendNeighbours(embedded.vectors, labels, neighbours);
  while (static_cast<std::size_t>(neighbours.votes_size()) < categories) neighbours.add_votes(1);
  v1::Ensemble& ensemble = *artifact.mutable_ensemble();
  for (std::size_t i = 0; i < names.size() * artifact.embedding().dimensions(); ++i) ensemble.add_means(0);
  for (std::size_t c = 0; c < categories; ++c) {
    if (added[c] == 0) continue;
    const double votes = std::sqrt(std::max(1.0, usual / static_cast<double>(before[c] + added[c])));
    neighbours.set_votes(static_cast<int>(c), static_cast<float>(votes));
    MoveMean(embedded.vectors, labels, static_cast<std::uint8_t>(c), before[c], ensemble);
  }
}

}  // namespace pointsman::offline
