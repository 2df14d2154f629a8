// router/offline/cluster.h: rows of vectors into clusters, for the classifier's neighbours.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "pointsman/v1/artifact.pb.h"

namespace pointsman::offline {

struct ClusteredNeighbours {
  v1::Neighbours model;              // all but sharpness
  std::vector<std::uint32_t> order;  // [place in the model] = row
};

// `vectors` are n rows of length 1, row-major; labels[i] < 256. Spherical k-means (Dhillon and Modha 2001, section 4)
// with about 64 rows a cluster and a fixed number of rounds; as many clusters are probed as hold 4 % of the rows, but
// 640 of them. Deterministic by `seed`. About n * n / 64 * dimensions * 8 multiplications.
ClusteredNeighbours Cluster(std::span<const float> vectors, std::size_t dimensions,
                            std::span<const std::uint8_t> labels, std::uint64_t seed);

}  // namespace pointsman::offline
