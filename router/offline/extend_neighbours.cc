#include "router/offline/extend_neighbours.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace pointsman::offline {
namespace {

std::size_t NearestCluster(const v1::Neighbours& neighbours, std::span<const float> vector) {
  const std::size_t dimensions = vector.size();
  const auto clusters = static_cast<std::size_t>(neighbours.cluster_begin_size()) - 1;
  std::size_t nearest = 0;
  float best = -1e9F;
  for (std::size_t k = 0; k < clusters; ++k) {
    float dot = 0;
    for (std::size_t d = 0; d < dimensions; ++d) {
      dot += vector[d] * static_cast<float>(static_cast<std::int8_t>(neighbours.centroids()[k * dimensions + d]));
    }
    if (dot > best) {
      best = dot;
      nearest = k;
    }
  }
  return nearest;
}

}  // namespace

void ExtendNeighbours(std::span<const float> vectors, std::span<const std::uint8_t> labels,
                      v1::Neighbours& neighbours) {
  const std::size_t dimensions = neighbours.dimensions();
  const auto clusters = static_cast<std::size_t>(neighbours.cluster_begin_size()) - 1;
  std::vector<std::vector<std::size_t>> arrivals(clusters);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    arrivals[NearestCluster(neighbours, vectors.subspan(i * dimensions, dimensions))].push_back(i);
  }

  const v1::Neighbours before = neighbours;
  neighbours.clear_vectors();
  neighbours.clear_scales();
  neighbours.clear_labels();
  neighbours.clear_cluster_begin();
  neighbours.add_cluster_begin(0);
  for (std::size_t k = 0; k < clusters; ++k) {
    const std::size_t begin = before.cluster_begin(static_cast<int>(k));
    const std::size_t end = before.cluster_begin(static_cast<int>(k) + 1);
    neighbours.mutable_vectors()->append(before.vectors(), begin * dimensions, (end - begin) * dimensions);
    neighbours.mutable_labels()->append(before.labels(), begin, end - begin);
    for (std::size_t i = begin; i < end; ++i) neighbours.add_scales(before.scales(static_cast<int>(i)));
    for (const std::size_t i : arrivals[k]) {
      const std::span<const float> vector = vectors.subspan(i * dimensions, dimensions);
      float largest = 1e-9F;
      for (const float value : vector) largest = std::max(largest, std::abs(value));
      for (const float value : vector) {
        neighbours.mutable_vectors()->push_back(
            static_cast<char>(static_cast<std::int8_t>(std::lround(value * 127 / largest))));
      }
      neighbours.add_scales(largest / 127);
      neighbours.mutable_labels()->push_back(static_cast<char>(labels[i]));
    }
    neighbours.add_cluster_begin(static_cast<std::uint32_t>(neighbours.labels().size()));
  }
}

}  // namespace pointsman::offline
