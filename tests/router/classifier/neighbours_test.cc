#include "router/classifier/neighbours.h"

#include <gtest/gtest.h>

#include <cmath>

#include "router/offline/cluster.h"
#include "router/offline/random.h"

namespace pointsman::classifier {
namespace {

// Unit vectors around `topics` directions; row i has the label i % topics.
struct Rows {
  std::vector<float> vectors;
  std::vector<std::uint8_t> labels;
};

Rows Make(std::size_t rows, std::size_t dimensions, std::size_t topics, std::uint64_t seed) {
  offline::SplitMix random(seed), directions(99);
  const auto uniform = [](offline::SplitMix& r) { return static_cast<float>(r.Below(2001)) / 1000 - 1; };
  std::vector<float> centre(topics * dimensions);
  for (float& value : centre) value = uniform(directions);
  Rows out;
  for (std::size_t i = 0; i < rows; ++i) {
    float squares = 0;
    for (std::size_t d = 0; d < dimensions; ++d) {
      out.vectors.push_back(centre[i % topics * dimensions + d] + uniform(random));
      squares += out.vectors.back() * out.vectors.back();
    }
    for (std::size_t d = 0; d < dimensions; ++d) out.vectors[i * dimensions + d] /= std::sqrt(squares);
    out.labels.push_back(static_cast<std::uint8_t>(i % topics));
  }
  return out;
}

std::vector<float> Direct(const Rows& rows, std::size_t dimensions, std::size_t topics, const float* query,
                          float sharpness) {
  std::vector<float> cosines;
  for (std::size_t i = 0; i < rows.labels.size(); ++i) {
    float dot = 0;
    for (std::size_t d = 0; d < dimensions; ++d) dot += rows.vectors[i * dimensions + d] * query[d];
    cosines.push_back(dot);
  }
  const float highest = *std::max_element(cosines.begin(), cosines.end());
  std::vector<float> shares(topics);
  float total = 0;
  for (std::size_t i = 0; i < cosines.size(); ++i) {
    const float weight = std::exp(sharpness * (cosines[i] - highest));
    shares[rows.labels[i]] += weight;
    total += weight;
  }
  for (float& share : shares) share = (share / total + 0.02F / static_cast<float>(topics)) / 1.02F;
  return shares;
}

class NeighboursTest : public ::testing::TestWithParam<std::size_t> {};

// 64: the widest instructions of the machine; 16 and 8: the others.
INSTANTIATE_TEST_SUITE_P(Dimensions, NeighboursTest, ::testing::Values(8, 48, 64, 128));

TEST_P(NeighboursTest, SharesAreThoseOfTheDirectSum) {
  const std::size_t dimensions = GetParam(), topics = 5;
  const Rows rows = Make(600, dimensions, topics, 1), queries = Make(40, dimensions, topics, 2);
  auto clustered = offline::Cluster(rows.vectors, dimensions, rows.labels, 1);
  for (const float sharpness : {12.0F, 25.0F}) clustered.model.add_sharpness(sharpness);
  ASSERT_EQ(Flaw(clustered.model, dimensions, topics), "");
  const Neighbours neighbours(clustered.model, topics);
  std::vector<float> out(2 * topics);
  for (std::size_t q = 0; q < queries.labels.size(); ++q) {
    const float* const query = &queries.vectors[q * dimensions];
    neighbours.LogShares({query, dimensions}, out);
    for (std::size_t v = 0; v < 2; ++v) {
      const std::vector<float> direct = Direct(rows, dimensions, topics, query, v == 0 ? 12 : 25);
      // int8 vectors, and rows of weight under exp(-5) that do not count
      for (std::size_t c = 0; c < topics; ++c) EXPECT_NEAR(std::exp(out[v * topics + c]), direct[c], 0.06);
    }
  }
}

TEST(Neighbours, ProbesFindTheNearestRows) {
  const std::size_t dimensions = 64, topics = 8;
  const Rows rows = Make(6000, dimensions, topics, 1), queries = Make(200, dimensions, topics, 2);
  auto clustered = offline::Cluster(rows.vectors, dimensions, rows.labels, 1);
  clustered.model.add_sharpness(20);
  ASSERT_LT(clustered.model.probes() + 1, static_cast<std::uint32_t>(clustered.model.cluster_begin_size()));
  const Neighbours neighbours(clustered.model, topics);
  std::vector<float> out(topics);
  std::size_t right = 0;
  for (std::size_t q = 0; q < queries.labels.size(); ++q) {
    neighbours.LogShares({&queries.vectors[q * dimensions], dimensions}, out);
    right += std::max_element(out.begin(), out.end()) - out.begin() == queries.labels[q] ? 1 : 0;
  }
  EXPECT_GE(right, 190U);
}

TEST(Neighbours, ExcludedRowsDoNotCountAndARowIsItsOwnNearest) {
  const std::size_t dimensions = 16, topics = 2;
  const Rows rows = Make(50, dimensions, topics, 3);
  auto clustered = offline::Cluster(rows.vectors, dimensions, rows.labels, 1);
  clustered.model.add_sharpness(20);
  const Neighbours neighbours(clustered.model, topics);
  std::vector<float> out(topics);
  const std::span<const float> first(rows.vectors.data(), dimensions);
  const float with = neighbours.LogShares(first, out);
  std::vector<std::uint8_t> excluded(50);
  for (std::size_t at = 0; at < 50; ++at) excluded[at] = clustered.order[at] == 0 ? 1 : 0;
  const float without = neighbours.LogShares(first, out, excluded);
  EXPECT_LT(without, with);
  excluded.assign(50, 1);
  neighbours.LogShares(first, out, excluded);
  for (const float share : out) EXPECT_NEAR(std::exp(share), 0.5, 1e-5);  // nobody left: uniform
}

TEST(Neighbours, VotesWeighACategorysRows) {
  const std::size_t dimensions = 16, topics = 2;
  const Rows rows = Make(50, dimensions, topics, 3);
  v1::Neighbours model = offline::Cluster(rows.vectors, dimensions, rows.labels, 1).model;
  model.add_sharpness(12);
  const std::span<const float> query(rows.vectors.data(), dimensions);
  std::vector<float> plain(topics), weighed(topics);
  Neighbours(model, topics).LogShares(query, plain);
  model.add_votes(1);
  model.add_votes(3);
  Neighbours(model, topics).LogShares(query, weighed);
  // The odds are three times as high; the smoothing takes a little off.
  EXPECT_NEAR((weighed[1] - weighed[0]) - (plain[1] - plain[0]), std::log(3), 0.25);
}

TEST(Neighbours, FlawsAreNamed) {
  const Rows rows = Make(20, 8, 2, 1);
  const auto flaw = [&](auto change) {
    v1::Neighbours model = offline::Cluster(rows.vectors, 8, rows.labels, 1).model;
    model.add_sharpness(10);
    change(model);
    return Flaw(model, 8, 2);
  };
  EXPECT_EQ(flaw([](v1::Neighbours&) {}), "");
  EXPECT_NE(flaw([](v1::Neighbours& m) { m.set_dimensions(16); }), "");
  EXPECT_NE(flaw([](v1::Neighbours& m) { m.mutable_vectors()->pop_back(); }), "");
  EXPECT_NE(flaw([](v1::Neighbours& m) { (*m.mutable_labels())[0] = 7; }), "");
  EXPECT_NE(flaw([](v1::Neighbours& m) { m.set_probes(9); }), "");
  EXPECT_NE(flaw([](v1::Neighbours& m) { m.set_sharpness(0, -1); }), "");
  EXPECT_NE(flaw([](v1::Neighbours& m) { m.clear_cluster_begin(); }), "");
  EXPECT_NE(flaw([](v1::Neighbours& m) { m.add_votes(1); }), "");
  EXPECT_NE(flaw([](v1::Neighbours& m) {
              m.add_votes(1);
              m.add_votes(-1);
            }),
            "");
}

}  // namespace
}  // namespace pointsman::classifier
