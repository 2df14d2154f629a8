#include "router/classifier/stored_vectors.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <cmath>

namespace pointsman::classifier {
namespace {

constexpr double kUniformShare = 0.02;

std::int32_t InnerProduct(const std::int8_t* a, const std::int8_t* b, std::size_t dimension) {
  std::int32_t sum = 0;
  for (std::size_t d = 0; d < dimension; ++d) sum += a[d] * b[d];
  return sum;
}

// Inner products of `query` with each row.
void InnerProducts(const std::int8_t* rows, std::size_t count, const std::int8_t* query, std::size_t dimension,
                   std::int32_t* sums) {
  for (std::size_t row = 0; row < count; ++row) sums[row] = InnerProduct(rows + row * dimension, query, dimension);
}

#if defined(__x86_64__)
// By hand: of the plain loop and of vector types g++ 12 makes code that is several times slower.
[[gnu::target("avx2")]] void InnerProductsWide(const std::int8_t* rows, std::size_t count, const std::int8_t* query,
                                               std::size_t dimension, std::int32_t* sums) {
  constexpr std::size_t kLanes = 16;
  const std::size_t whole = dimension / kLanes * kLanes;
  for (std::size_t row = 0; row < count; ++row) {
    const std::int8_t* const values = rows + row * dimension;
    __m256i lanes = _mm256_setzero_si256();
    for (std::size_t d = 0; d < whole; d += kLanes) {
      const __m128i a = _mm_loadu_si128(reinterpret_cast<const __m128i*>(values + d));
      const __m128i b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(query + d));
      const __m256i products = _mm256_madd_epi16(_mm256_cvtepi8_epi16(a), _mm256_cvtepi8_epi16(b));
      lanes = _mm256_add_epi32(lanes, products);
    }
    alignas(32) std::int32_t parts[8];
    _mm256_store_si256(reinterpret_cast<__m256i*>(parts), lanes);
    std::int32_t sum = InnerProduct(values + whole, query + whole, dimension - whole);
    for (const std::int32_t part : parts) sum += part;
    sums[row] = sum;
  }
}
const auto kInnerProducts = __builtin_cpu_supports("avx2") ? InnerProductsWide : InnerProducts;
#else
const auto kInnerProducts = InnerProducts;
#endif

float Quantise(std::span<const float> vector, std::vector<std::int8_t>& to) {
  float largest = 0;
  for (const float value : vector) largest = std::max(largest, std::abs(value));
  const float scale = largest > 0 ? largest / 127 : 1;
  for (const float value : vector) to.push_back(static_cast<std::int8_t>(std::lround(value / scale)));
  return scale;
}

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
  kInnerProducts(values_.data(), size(), query.data(), dimension_, sums.data());
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
