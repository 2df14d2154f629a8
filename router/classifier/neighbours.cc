#include "router/classifier/neighbours.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "router/classifier/static_embedding.h"

namespace pointsman::classifier {
namespace {

constexpr float kSmoothing = 0.02F;
constexpr float kNegligible = 5;  // a row whose weight is under exp(-this) of the nearest row's adds nothing

// Products of the rows with one vector, times each row's scale. `shifted` is the vector + 128 as uint8 and `sums` the
// sums of each row's values: sum(row * vector) = sum(row * shifted) - 128 * sum(row).
struct Query {
  const std::int8_t* vector;
  const std::uint8_t* shifted;
  std::size_t size;  // a multiple of 8
  float unit;        // of vector's values
};
using Kernel = void (*)(const std::int8_t* rows, const float* scales, const std::int32_t* sums, std::size_t count,
                        const Query& query, float* out);

// Vector types of the compiler (gcc, clang), for every machine.
void CosinesPlain(const std::int8_t* rows, const float* scales, const std::int32_t*, std::size_t count,
                  const Query& query, float* out) {
  constexpr std::size_t kWide = 8;
  using Bytes [[gnu::vector_size(kWide)]] = std::int8_t;
  using Shorts [[gnu::vector_size(2 * kWide)]] = std::int16_t;
  using Words [[gnu::vector_size(4 * kWide)]] = std::int32_t;
  for (std::size_t i = 0; i < count; ++i) {
    Words sum{};
    for (std::size_t d = 0; d < query.size; d += kWide) {
      Bytes x, y;
      std::memcpy(&x, rows + i * query.size + d, kWide);
      std::memcpy(&y, query.vector + d, kWide);
      sum += __builtin_convertvector(__builtin_convertvector(x, Shorts) * __builtin_convertvector(y, Shorts), Words);
    }
    std::int32_t total = 0;
    for (std::size_t j = 0; j < kWide; ++j) total += sum[j];
    out[i] = static_cast<float>(total) * scales[i] * query.unit;
  }
}

#if defined(__x86_64__)
[[gnu::target("avx2")]] inline std::int32_t Sum(__m256i values) {
  __m128i half = _mm_add_epi32(_mm256_castsi256_si128(values), _mm256_extracti128_si256(values, 1));
  half = _mm_add_epi32(half, _mm_shuffle_epi32(half, _MM_SHUFFLE(1, 0, 3, 2)));
  half = _mm_add_epi32(half, _mm_shuffle_epi32(half, _MM_SHUFFLE(2, 3, 0, 1)));
  return _mm_cvtsi128_si32(half);
}

[[gnu::target("avx2")]] void CosinesAvx2(const std::int8_t* rows, const float* scales, const std::int32_t*,
                                         std::size_t count, const Query& query, float* out) {
  for (std::size_t i = 0; i < count; ++i) {
    __m256i sum = _mm256_setzero_si256();
    for (std::size_t d = 0; d < query.size; d += 16) {
      const auto* row = reinterpret_cast<const __m128i*>(rows + i * query.size + d);
      const auto* vector = reinterpret_cast<const __m128i*>(query.vector + d);
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_cvtepi8_epi16(_mm_loadu_si128(row)),
                                                    _mm256_cvtepi8_epi16(_mm_loadu_si128(vector))));
    }
    out[i] = static_cast<float>(Sum(sum)) * scales[i] * query.unit;
  }
}

[[gnu::target("avx2,avx512f,avx512vl,avx512vnni")]] void CosinesVnni(const std::int8_t* rows, const float* scales,
                                                                     const std::int32_t* sums, std::size_t count,
                                                                     const Query& query, float* out) {
  for (std::size_t i = 0; i < count; ++i) {
    __m256i even = _mm256_setzero_si256(), odd = even;
    for (std::size_t d = 0; d < query.size; d += 64) {
      const auto* row = reinterpret_cast<const __m256i*>(rows + i * query.size + d);
      const auto* vector = reinterpret_cast<const __m256i*>(query.shifted + d);
      even = _mm256_dpbusd_epi32(even, _mm256_loadu_si256(vector), _mm256_loadu_si256(row));
      odd = _mm256_dpbusd_epi32(odd, _mm256_loadu_si256(vector + 1), _mm256_loadu_si256(row + 1));
    }
    const std::int32_t dot = Sum(_mm256_add_epi32(even, odd)) - 128 * sums[i];
    out[i] = static_cast<float>(dot) * scales[i] * query.unit;
  }
}

Kernel BestKernel(std::size_t size) {
  if (size % 64 == 0 && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vl")) return CosinesVnni;
  return size % 16 == 0 && __builtin_cpu_supports("avx2") ? CosinesAvx2 : CosinesPlain;
}
#else
Kernel BestKernel(std::size_t) { return CosinesPlain; }
#endif

std::vector<std::int32_t> RowSums(const std::vector<std::int8_t>& rows, std::size_t size) {
  std::vector<std::int32_t> sums(rows.size() / size);
  for (std::size_t i = 0; i < rows.size(); ++i) sums[i / size] += rows[i];
  return sums;
}

// What one look-up needs; a thread's own, so that none allocates.
struct Scratch {
  std::vector<float> cosines;
  std::vector<std::pair<float, std::uint32_t>> clusters;
};

}  // namespace

std::string Flaw(const v1::Neighbours& n, std::size_t dimensions, std::size_t categories) {
  const std::size_t rows = n.labels().size();
  const auto clusters = static_cast<std::size_t>(n.cluster_begin_size()) - 1;
  if (n.dimensions() != dimensions) return "its neighbours have other dimensions than its embedding";
  if (rows == 0 || rows > (1U << 24)) return "it has no neighbours, or too many";
  if (n.vectors().size() != rows * dimensions) return "its neighbours' vectors have the wrong size";
  if (static_cast<std::size_t>(n.scales_size()) != rows) return "its neighbours have not a scale each";
  if (n.cluster_begin_size() < 2 || n.centroids().size() != clusters * dimensions || n.cluster_begin(0) != 0 ||
      n.cluster_begin(static_cast<int>(clusters)) != rows ||
      !std::is_sorted(n.cluster_begin().begin(), n.cluster_begin().end())) {
    return "its clusters are not those of its neighbours";
  }
  if (n.probes() == 0 || n.probes() > clusters) return "probes is not 1 to the number of clusters";
  if (n.sharpness_size() == 0 || n.sharpness_size() > 8) return "it has not 1 to 8 sharpnesses";
  for (const float value : n.sharpness()) {
    if (!(value > 0 && value <= 1000)) return "a sharpness is not over 0 and up to 1000";
  }
  if (n.votes_size() != 0 && static_cast<std::size_t>(n.votes_size()) != categories) {
    return "its neighbours' votes are not one for each category";
  }
  for (const float value : n.votes()) {
    if (!(value > 0 && value <= 1e6F)) return "a factor on its neighbours' votes is not over 0 and up to a million";
  }
  for (const char label : n.labels()) {
    if (static_cast<std::uint8_t>(label) >= categories) return "a neighbour has a label that is no category";
  }
  if (!std::all_of(n.scales().begin(), n.scales().end(), [](float s) { return std::isfinite(s); })) {
    return "a scale of its neighbours is not a finite number";
  }
  return "";
}

Neighbours::Neighbours(const v1::Neighbours& model, std::size_t categories)
    : dimensions_(model.dimensions()),
      categories_(categories),
      vectors_(model.vectors().begin(), model.vectors().end()),
      scales_(model.scales().begin(), model.scales().end()),
      sums_(RowSums(vectors_, dimensions_)),
      labels_(model.labels().begin(), model.labels().end()),
      votes_(model.votes().begin(), model.votes().end()),
      begin_(model.cluster_begin().begin(), model.cluster_begin().end()),
      centroids_(model.centroids().begin(), model.centroids().end()),
      centroid_scales_(begin_.size() - 1, 1.0F / 127),
      centroid_sums_(RowSums(centroids_, dimensions_)),
      probes_(model.probes()),
      views_(static_cast<std::size_t>(model.sharpness_size())),
      reach_(kNegligible / *std::min_element(model.sharpness().begin(), model.sharpness().end())),
      decay_(kSteps * views_) {
  for (std::size_t step = 0; step < kSteps; ++step) {
    const float below = (static_cast<float>(step) + 0.5F) * reach_ / kSteps;
    for (std::size_t v = 0; v < views_; ++v) {
      decay_[step * views_ + v] = std::exp(-below * model.sharpness(static_cast<int>(v)));
    }
  }
}

float Neighbours::LogShares(std::span<const float> vector, std::span<float> out,
                            std::span<const std::uint8_t> excluded) const {
  thread_local Scratch scratch;
  // The text's vector as int8, by its largest value.
  alignas(64) std::array<std::int8_t, kMaxDimensions> values{};
  alignas(64) std::array<std::uint8_t, kMaxDimensions> shifted{};
  float largest = 1e-9F;
  for (const float value : vector) largest = std::max(largest, std::abs(value));
  for (std::size_t d = 0; d < dimensions_; ++d) {
    values[d] = static_cast<std::int8_t>(std::lround(vector[d] * 127 / largest));
    shifted[d] = static_cast<std::uint8_t>(values[d] + 128);
  }
  const Query query{values.data(), shifted.data(), dimensions_, largest / 127};
  const Kernel kernel = BestKernel(dimensions_);

  const std::size_t clusters = begin_.size() - 1;
  std::vector<float>& cosines = scratch.cosines;
  cosines.resize(std::max(clusters, labels_.size()));
  scratch.clusters.clear();
  if (probes_ < clusters) {
    kernel(centroids_.data(), centroid_scales_.data(), centroid_sums_.data(), clusters, query, cosines.data());
    for (std::uint32_t k = 0; k < clusters; ++k) scratch.clusters.emplace_back(cosines[k], k);
    std::nth_element(scratch.clusters.begin(), scratch.clusters.begin() + static_cast<std::ptrdiff_t>(probes_ - 1),
                     scratch.clusters.end(), std::greater<>());
    scratch.clusters.resize(probes_);
  } else {
    for (std::uint32_t k = 0; k < clusters; ++k) scratch.clusters.emplace_back(0.0F, k);
  }

  std::array<float, kNearest> nearest;
  nearest.fill(-1);
  for (const auto& [ignored, k] : scratch.clusters) {
    const std::size_t begin = begin_[k], end = begin_[k + 1];
    kernel(&vectors_[begin * dimensions_], &scales_[begin], &sums_[begin], end - begin, query, &cosines[begin]);
    for (std::size_t i = begin; i < end; ++i) {
      if (cosines[i] <= nearest.back() || (!excluded.empty() && excluded[i] != 0)) continue;
      std::size_t at = kNearest - 1;
      for (; at > 0 && nearest[at - 1] < cosines[i]; --at) nearest[at] = nearest[at - 1];
      nearest[at] = cosines[i];
    }
  }

  std::fill(out.begin(), out.end(), 0.0F);
  const float per_step = kSteps / reach_;
  for (const auto& [ignored, k] : scratch.clusters) {
    for (std::size_t i = begin_[k]; i < begin_[k + 1]; ++i) {
      const float below = nearest[0] - cosines[i];
      if (below >= reach_ || (!excluded.empty() && excluded[i] != 0)) continue;
      const float* const weights = &decay_[static_cast<std::size_t>(below * per_step) * views_];
      for (std::size_t v = 0; v < views_; ++v) out[v * categories_ + labels_[i]] += weights[v];
    }
  }
  for (std::size_t v = 0; v < views_; ++v) {
    float* const shares = &out[v * categories_];
    for (std::size_t c = 0; c < votes_.size(); ++c) shares[c] *= votes_[c];
    float total = 0;
    for (std::size_t c = 0; c < categories_; ++c) total += shares[c];
    const float smooth = total > 0 ? kSmoothing * total / static_cast<float>(categories_) : 1;
    const float norm = std::log(total + smooth * static_cast<float>(categories_));
    const float none = std::log(smooth) - norm;  // most categories have no row among those that count
    for (std::size_t c = 0; c < categories_; ++c)
      shares[c] = shares[c] == 0 ? none : std::log(shares[c] + smooth) - norm;
  }
  float sum = 0;
  for (const float cosine : nearest) sum += cosine;
  return sum / kNearest;
}

}  // namespace pointsman::classifier
