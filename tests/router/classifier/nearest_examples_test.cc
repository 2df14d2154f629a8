#include "router/classifier/nearest_examples.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "router/offline/cluster.h"
#include "router/offline/random.h"

namespace pointsman::classifier {
namespace {

constexpr std::size_t kDimensions = 64;

std::vector<float> UnitVectors(std::size_t rows, std::uint64_t seed) {
  offline::SplitMix random(seed);
  std::vector<float> vectors;
  for (std::size_t i = 0; i < rows; ++i) {
    float squares = 0;
    for (std::size_t d = 0; d < kDimensions; ++d) {
      vectors.push_back(static_cast<float>(random.Below(2001)) / 1000 - 1 + (d == i % 4 ? 3.0F : 0.0F));
      squares += vectors.back() * vectors.back();
    }
    for (std::size_t d = 0; d < kDimensions; ++d) vectors[i * kDimensions + d] /= std::sqrt(squares);
  }
  return vectors;
}

v1::GateExamples Examples(const std::vector<float>& vectors, const offline::ClusterSizes& sizes) {
  const std::vector<std::uint8_t> labels(vectors.size() / kDimensions);
  const v1::Neighbours clustered = offline::Cluster(vectors, kDimensions, labels, 1, sizes).model;
  v1::GateExamples examples;
  examples.set_vectors(clustered.vectors());
  *examples.mutable_scales() = clustered.scales();
  *examples.mutable_cluster_begin() = clustered.cluster_begin();
  examples.set_centroids(clustered.centroids());
  examples.set_probes(clustered.probes());
  return examples;
}

std::vector<double> Cosines(const std::vector<float>& vectors, std::span<const float> query) {
  std::vector<double> cosines;
  for (std::size_t row = 0; row < vectors.size(); row += kDimensions) {
    double dot = 0;
    for (std::size_t d = 0; d < kDimensions; ++d) dot += static_cast<double>(vectors[row + d]) * query[d];
    cosines.push_back(dot);
  }
  std::sort(cosines.begin(), cosines.end(), std::greater<>());
  return cosines;
}

double LogSum(const std::vector<double>& sorted) {
  double sum = 0;
  for (std::size_t i = 0; i < std::min(sorted.size(), NearestExamples::kNearest); ++i) {
    sum += std::exp(NearestExamples::kSharpness * sorted[i]);
  }
  return std::log(sum);
}

std::vector<std::uint32_t> Chosen(const NearestExamples& examples, const Int8Vector& query) {
  std::vector<std::uint32_t> clusters = {77};  // of a gate before
  examples.Choose(query, clusters);
  return clusters;
}

TEST(NearestExamples, AddsUpTheNearestWhenAllAreRead) {
  for (const std::size_t rows : {1UL, 7UL, 20UL, 150UL}) {
    const std::vector<float> vectors = UnitVectors(rows, rows);
    const NearestExamples examples(Examples(vectors, {32, 192, 0}), kDimensions);
    EXPECT_EQ(examples.size(), rows);
    const std::vector<float> queries = UnitVectors(50, 77);
    for (std::size_t q = 0; q < queries.size(); q += kDimensions) {
      const std::span<const float> query(&queries[q], kDimensions);
      const std::vector<double> sorted = Cosines(vectors, query);
      const Int8Vector bytes(query);
      const std::vector<std::uint32_t> clusters = Chosen(examples, bytes);
      EXPECT_NEAR(examples.LogSum(bytes, clusters), LogSum(sorted), 0.15);  // int8 values: 0.01 in a cosine
      EXPECT_NEAR(examples.Largest(bytes, clusters), sorted[0], 0.01);
    }
  }
}

TEST(NearestExamples, OfManyClustersItReadsThoseThatHoldTheNearest) {
  const std::vector<float> vectors = UnitVectors(1200, 5);
  const v1::GateExamples model = Examples(vectors, {32, 192, 0});
  ASSERT_LT(model.probes() * 4, static_cast<std::uint32_t>(model.cluster_begin_size()));
  const NearestExamples examples(model, kDimensions);
  std::size_t found = 0;
  for (std::size_t row = 0; row < 1200; ++row) {
    const Int8Vector query({&vectors[row * kDimensions], kDimensions});
    found += examples.Largest(query, Chosen(examples, query)) > 0.99F ? 1 : 0;  // the row itself
  }
  EXPECT_GT(found, 1190U);
}

TEST(NearestExamples, ATextWithoutATokenIsFarFromNone) {
  const NearestExamples examples(Examples(UnitVectors(30, 3), {32, 192, 0}), kDimensions);
  const Int8Vector nothing(std::vector<float>(kDimensions, 0.0F));
  EXPECT_NEAR(examples.LogSum(nothing, Chosen(examples, nothing)), std::log(20.0), 1e-5);
  EXPECT_EQ(examples.Largest(nothing, Chosen(examples, nothing)), 0);
}

}  // namespace
}  // namespace pointsman::classifier
