#include "router/offline/cluster.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "router/offline/random.h"

namespace pointsman::offline {
namespace {

constexpr unsigned kRounds = 8;

float Dot(const float* a, const float* b, std::size_t size) {
  float lanes[8] = {};
  for (std::size_t i = 0; i < size; i += 8) {
    for (std::size_t j = 0; j < 8; ++j) lanes[j] += a[i + j] * b[i + j];
  }
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

std::vector<std::uint32_t> Assign(std::span<const float> vectors, std::size_t dimensions,
                                  const std::vector<float>& centroids) {
  const std::size_t rows = vectors.size() / dimensions, clusters = centroids.size() / dimensions;
  std::vector<std::uint32_t> cluster(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    float best = -2;
    for (std::size_t k = 0; k < clusters; ++k) {
      const float dot = Dot(&vectors[i * dimensions], &centroids[k * dimensions], dimensions);
      if (dot > best) {
        best = dot;
        cluster[i] = static_cast<std::uint32_t>(k);
      }
    }
  }
  return cluster;
}

// Their means, of length 1; a cluster without rows keeps its place.
void Move(std::span<const float> vectors, std::size_t dimensions, const std::vector<std::uint32_t>& cluster,
          std::vector<float>& centroids) {
  std::vector<float> sums(centroids.size());
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    for (std::size_t d = 0; d < dimensions; ++d) sums[cluster[i] * dimensions + d] += vectors[i * dimensions + d];
  }
  for (std::size_t k = 0; k < centroids.size() / dimensions; ++k) {
    const float* const sum = &sums[k * dimensions];
    const float length = std::sqrt(Dot(sum, sum, dimensions));
    if (!(length > 0)) continue;
    for (std::size_t d = 0; d < dimensions; ++d) centroids[k * dimensions + d] = sum[d] / length;
  }
}

void AppendQuantised(const float* vector, std::size_t dimensions, float unit, std::string& out) {
  for (std::size_t d = 0; d < dimensions; ++d) {
    out += static_cast<char>(static_cast<std::int8_t>(std::lround(vector[d] * unit)));
  }
}

}  // namespace

ClusteredNeighbours Cluster(std::span<const float> vectors, std::size_t dimensions,
                            std::span<const std::uint8_t> labels, std::uint64_t seed, const ClusterSizes& sizes) {
  const std::size_t rows = labels.size();
  const std::size_t clusters = rows <= sizes.few_rows ? 1 : rows / sizes.rows_per_cluster;
  SplitMix random(seed);
  std::vector<std::uint32_t> order(rows);
  std::iota(order.begin(), order.end(), 0U);
  std::vector<float> centroids;
  for (std::size_t k = 0; k < clusters; ++k) {
    std::swap(order[k], order[k + random.Below(rows - k)]);
    const auto from = vectors.begin() + static_cast<std::ptrdiff_t>(order[k] * dimensions);
    centroids.insert(centroids.end(), from, from + static_cast<std::ptrdiff_t>(dimensions));
  }
  std::vector<std::uint32_t> cluster;
  for (unsigned round = 0; round < kRounds; ++round) {
    cluster = Assign(vectors, dimensions, centroids);
    Move(vectors, dimensions, cluster, centroids);
  }
  cluster = Assign(vectors, dimensions, centroids);

  ClusteredNeighbours result;
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return cluster[a] < cluster[b]; });
  v1::Neighbours& model = result.model;
  model.set_dimensions(static_cast<std::uint32_t>(dimensions));
  std::uint32_t place = 0;
  for (std::size_t k = 0; k < clusters; ++k) {
    model.add_cluster_begin(place);
    while (place < rows && cluster[order[place]] == k) ++place;
    AppendQuantised(&centroids[k * dimensions], dimensions, 127, *model.mutable_centroids());
  }
  model.add_cluster_begin(place);
  for (const std::uint32_t row : order) {
    const float* const vector = &vectors[row * dimensions];
    float largest = 1e-9F;
    for (std::size_t d = 0; d < dimensions; ++d) largest = std::max(largest, std::abs(vector[d]));
    AppendQuantised(vector, dimensions, 127 / largest, *model.mutable_vectors());
    model.add_scales(largest / 127);
    model.mutable_labels()->push_back(static_cast<char>(labels[row]));
  }
  const double share = std::max(sizes.share_read, static_cast<double>(sizes.few_rows) / static_cast<double>(rows));
  const auto probes = static_cast<std::size_t>(std::ceil(share * static_cast<double>(clusters)));
  model.set_probes(static_cast<std::uint32_t>(std::clamp<std::size_t>(probes, 1, clusters)));
  result.order = std::move(order);
  return result;
}

}  // namespace pointsman::offline
