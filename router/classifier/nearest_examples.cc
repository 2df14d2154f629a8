#include "router/classifier/nearest_examples.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

namespace pointsman::classifier {
namespace {

// What one look-up needs; a thread's own, so that none allocates.
struct Scratch {
  std::vector<float> cosines;
  std::vector<std::pair<float, std::uint32_t>> clusters;
};

}  // namespace

NearestExamples::NearestExamples(const v1::GateExamples& examples, std::size_t dimensions)
    : rows_(examples.vectors(), {examples.scales().begin(), examples.scales().end()}, dimensions),
      centroids_(examples.centroids(),
                 std::vector<float>(static_cast<std::size_t>(examples.cluster_begin_size()) - 1, 1.0F / 127),
                 dimensions),
      begin_(examples.cluster_begin().begin(), examples.cluster_begin().end()),
      probes_(examples.probes()) {}

void NearestExamples::Prefetch() const { centroids_.Prefetch(0, centroids_.size()); }

void NearestExamples::Choose(const Int8Vector& vector, std::vector<std::uint32_t>& chosen) const {
  thread_local Scratch scratch;
  const std::size_t clusters = centroids_.size();
  chosen.resize(probes_);
  if (probes_ == clusters) {
    std::iota(chosen.begin(), chosen.end(), 0U);
  } else {
    scratch.cosines.resize(std::max(scratch.cosines.size(), clusters));
    scratch.clusters.clear();
    centroids_.Products(vector, 0, clusters, scratch.cosines.data());
    for (std::uint32_t k = 0; k < clusters; ++k) scratch.clusters.emplace_back(scratch.cosines[k], k);
    // The nearest first: few rows of later clusters are then nearer than those found.
    const auto last = scratch.clusters.begin() + static_cast<std::ptrdiff_t>(probes_);
    std::partial_sort(scratch.clusters.begin(), last, scratch.clusters.end(), std::greater<>());
    for (std::size_t p = 0; p < probes_; ++p) chosen[p] = scratch.clusters[p].second;
  }
  for (const std::uint32_t k : chosen) rows_.Prefetch(begin_[k], begin_[k + 1]);
}

template <class Row>
void NearestExamples::ForEachRead(const Int8Vector& vector, std::span<const std::uint32_t> clusters, Row&& row) const {
  thread_local std::vector<float> cosines;
  cosines.resize(std::max(cosines.size(), rows_.size()));
  for (const std::uint32_t k : clusters) {
    const std::size_t begin = begin_[k], end = begin_[k + 1];
    rows_.Products(vector, begin, end, cosines.data());
    for (std::size_t i = 0; i < end - begin; ++i) row(cosines[i]);
  }
}

float NearestExamples::LogSum(const Int8Vector& vector, std::span<const std::uint32_t> clusters) const {
  std::array<float, kNearest> nearest;  // largest first
  std::size_t count = 0;
  ForEachRead(vector, clusters, [&](float cosine) {
    if (count == kNearest && cosine <= nearest.back()) return;
    std::size_t at = count < kNearest ? count++ : kNearest - 1;
    for (; at > 0 && nearest[at - 1] < cosine; --at) nearest[at] = nearest[at - 1];
    nearest[at] = cosine;
  });
  if (count == 0) return -kSharpness;  // the clusters that are read are empty
  float sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += std::exp(kSharpness * (nearest[i] - nearest[0]));
  return kSharpness * nearest[0] + std::log(sum);
}

float NearestExamples::Largest(const Int8Vector& vector, std::span<const std::uint32_t> clusters) const {
  float largest = -1;
  ForEachRead(vector, clusters, [&](float cosine) { largest = std::max(largest, cosine); });
  return largest;
}

}  // namespace pointsman::classifier
