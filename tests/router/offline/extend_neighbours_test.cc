#include "router/offline/extend_neighbours.h"

#include <gtest/gtest.h>

#include <cmath>

#include "router/classifier/neighbours.h"
#include "router/offline/cluster.h"
#include "router/offline/random.h"

namespace pointsman::offline {
namespace {

constexpr std::size_t kDimensions = 16;

// Unit vectors around one of two directions.
std::vector<float> Vectors(std::size_t rows, std::size_t direction, std::uint64_t seed) {
  SplitMix random(seed);
  std::vector<float> vectors;
  for (std::size_t i = 0; i < rows; ++i) {
    float square = 0;
    for (std::size_t d = 0; d < kDimensions; ++d) {
      vectors.push_back(static_cast<float>(random.Below(1000)) / 3000 + (d == direction ? 1.0F : 0.0F));
      square += vectors.back() * vectors.back();
    }
    for (std::size_t d = 0; d < kDimensions; ++d) vectors[i * kDimensions + d] /= std::sqrt(square);
  }
  return vectors;
}

TEST(ExtendNeighbours, KeepsEveryRowInItsClusterAndPutsNewOnesInTheNearest) {
  std::vector<float> vectors = Vectors(1500, 0, 1);
  const std::vector<float> others = Vectors(1500, 8, 2);
  vectors.insert(vectors.end(), others.begin(), others.end());
  std::vector<std::uint8_t> labels(3000);
  std::fill(labels.begin() + 1500, labels.end(), 1);
  v1::Neighbours model = Cluster(vectors, kDimensions, labels, 1).model;
  model.add_sharpness(12);
  const v1::Neighbours before = model;
  const std::vector<float> fresh = Vectors(20, 8, 3);
  ExtendNeighbours(fresh, std::vector<std::uint8_t>(20, 2), model);

  ASSERT_EQ(classifier::Flaw(model, kDimensions, 3), "");
  EXPECT_EQ(model.labels().size(), 3020U);
  EXPECT_EQ(model.centroids(), before.centroids());
  std::size_t found = 0;
  for (int k = 0; k + 1 < model.cluster_begin_size(); ++k) {
    const std::size_t begin = before.cluster_begin(k), size = before.cluster_begin(k + 1) - begin;
    const std::size_t at = model.cluster_begin(k), end = model.cluster_begin(k + 1);
    EXPECT_EQ(model.vectors().substr(at * kDimensions, size * kDimensions),
              before.vectors().substr(begin * kDimensions, size * kDimensions));
    for (std::size_t i = at + size; i < end; ++i) {
      EXPECT_EQ(model.labels()[i], 2);
      EXPECT_EQ(model.labels()[at], 1) << "a cluster of the other direction";
      ++found;
    }
  }
  EXPECT_EQ(found, 20U);

  // Where clusters are probed, a new row is still the nearest to itself.
  const classifier::Neighbours neighbours(model, 3);
  std::vector<float> shares(3);
  EXPECT_GT(neighbours.LogShares({fresh.data(), kDimensions}, shares), 0.9);
  EXPECT_GT(std::exp(shares[2]), 0.01);
}

}  // namespace
}  // namespace pointsman::offline
