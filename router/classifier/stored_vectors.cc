#include "router/classifier/stored_vectors.h"

#include <algorithm>
#include <cmath>

#include "router/classifier/inner_product.h"

namespace pointsman::classifier {
namespace {

constexpr double kUniformShare = 0.02;

}  // namespace

void StoredVectors::Add(std::span<const float> vector, std::uint32_t category) {
  scales_.push_back(Quantise(vector, values_));
  categories_.push_back(category);
}

void StoredVectors::Add(const std::int8_t* values, float scale, std::uint32_t category) {
  values_.insert(values_.end(), values, values + dimension_);
  scales_.push_back(scale);
  categories_.push_back(category);
}

std::vector<NearVector> StoredVectors::Nearest(std::span<const float> vector, std::size_t count) const {
  std::vector<std::int8_t> query;
  query.reserve(dimension_);
  const float scale = Quantise(vector, query);
  std::vector<std::int32_t> sums(size());
  InnerProducts(values_.data(), size(), query, sums.data());
  std::vector<NearVector> all(size());
  for (std::size_t row = 0; row < size(); ++row) {
    all[row] = {static_cast<std::uint32_t>(row), static_cast<float>(sums[row]) * scales_[row] * scale};
  }
  const auto nearer = [](const NearVector& a, const NearVector& b) {
    return a.cosine != b.cosine ? a.cosine > b.cosine : a.row < b.row;
  };
  count = std::min(count, all.size());
  const auto end = all.begin() + static_cast<std::ptrdiff_t>(count);
  if (end != all.end()) std::nth_element(all.begin(), end, all.end(), nearer);
  all.resize(count);
  std::sort(all.begin(), all.end(), nearer);
  return all;
}

std::vector<double> VoteLogProbabilities(const StoredVectors& rows, std::span<const NearVector> nearest,
                                         std::size_t count, double sharpness, std::size_t categories) {
  std::vector<double> votes(categories, 0.0);
  double total = 0;
  count = std::min(count, nearest.size());
  for (const NearVector& neighbour : nearest.first(count)) {
    // Against the nearest one, so that no sharpness overflows.
    const double vote = std::exp(sharpness * static_cast<double>(neighbour.cosine - nearest[0].cosine));
    votes[rows.category(neighbour.row)] += vote;
    total += vote;
  }
  const double uniform = 1.0 / static_cast<double>(categories);
  for (double& vote : votes) {
    vote = std::log(total > 0 ? (1 - kUniformShare) * vote / total + kUniformShare * uniform : uniform);
  }
  return votes;
}

}  // namespace pointsman::classifier
