// router/offline/cluster.h: rows of vectors into clusters, for the classifier's neighbours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "pointsman/v1/artifact.pb.h"

namespace pointsman::offline {

struct ClusteredNeighbours {
  v1::Neighbours model;              // all but sharpness
  std::vector<std::uint32_t> order;  // [place in the model] = row
};

struct ClusterSizes {
  std::size_t rows_per_cluster = 64;  // on average
  std::size_t few_rows = 640;         // so many are read whole
  double share_read = 0.04;           // of more rows, but not fewer than few_rows
};

// `vectors` are n rows of length 1, row-major; labels[i] < 256. Spherical k-means (Dhillon and Modha 2001, section 4)
// with a fixed number of rounds. Deterministic by `seed`. About n * n / rows_per_cluster * dimensions * 8
// multiplications.
ClusteredNeighbours Cluster(std::span<const float> vectors, std::size_t dimensions,
                            std::span<const std::uint8_t> labels, std::uint64_t seed, const ClusterSizes& sizes = {});

}  // namespace pointsman::offline
