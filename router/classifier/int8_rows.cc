#include "router/classifier/int8_rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <utility>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace pointsman::classifier {
namespace {

// Products of the rows with one vector, times each row's scale. `sums` are those of each row's values:
// sum(row * vector) = sum(row * shifted) - 128 * sum(row).
using Kernel = void (*)(const std::int8_t* rows, const float* scales, const std::int32_t* sums, std::size_t count,
                        const Int8Vector& query, float* out);

// Vector types of the compiler (gcc, clang), for every machine.
void CosinesPlain(const std::int8_t* rows, const float* scales, const std::int32_t*, std::size_t count,
                  const Int8Vector& query, float* out) {
  constexpr std::size_t kWide = 8;
  using Bytes [[gnu::vector_size(kWide)]] = std::int8_t;
  using Shorts [[gnu::vector_size(2 * kWide)]] = std::int16_t;
  using Words [[gnu::vector_size(4 * kWide)]] = std::int32_t;
  for (std::size_t i = 0; i < count; ++i) {
    Words sum{};
    for (std::size_t d = 0; d < query.size; d += kWide) {
      Bytes x, y;
      std::memcpy(&x, rows + i * query.size + d, kWide);
      std::memcpy(&y, query.values.data() + d, kWide);
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
                                         std::size_t count, const Int8Vector& query, float* out) {
  for (std::size_t i = 0; i < count; ++i) {
    __m256i sum = _mm256_setzero_si256();
    for (std::size_t d = 0; d < query.size; d += 16) {
      const auto* row = reinterpret_cast<const __m128i*>(rows + i * query.size + d);
      const auto* vector = reinterpret_cast<const __m128i*>(query.values.data() + d);
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_cvtepi8_epi16(_mm_loadu_si128(row)),
                                                    _mm256_cvtepi8_epi16(_mm_loadu_si128(vector))));
    }
    out[i] = static_cast<float>(Sum(sum)) * scales[i] * query.unit;
  }
}

[[gnu::target("avx2,avx512f,avx512vl,avx512vnni")]] void CosinesVnni(const std::int8_t* rows, const float* scales,
                                                                     const std::int32_t* sums, std::size_t count,
                                                                     const Int8Vector& query, float* out) {
  constexpr std::size_t kTogether = 4;  // rows whose sums one reduction makes
  const __m128 unit = _mm_set1_ps(query.unit);
  std::size_t i = 0;
  for (; i + kTogether <= count; i += kTogether) {
    __m256i lanes[kTogether] = {};
    for (std::size_t d = 0; d < query.size; d += 32) {
      const __m256i vector = _mm256_load_si256(reinterpret_cast<const __m256i*>(query.shifted.data() + d));
      for (std::size_t k = 0; k < kTogether; ++k) {
        const auto* row = reinterpret_cast<const __m256i*>(rows + (i + k) * query.size + d);
        lanes[k] = _mm256_dpbusd_epi32(lanes[k], vector, _mm256_loadu_si256(row));
      }
    }
    const __m256i halves =
        _mm256_hadd_epi32(_mm256_hadd_epi32(lanes[0], lanes[1]), _mm256_hadd_epi32(lanes[2], lanes[3]));
    const __m128i shifted = _mm_add_epi32(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1));
    const __m128i off = _mm_slli_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(sums + i)), 7);
    const __m128 dots = _mm_cvtepi32_ps(_mm_sub_epi32(shifted, off));
    _mm_storeu_ps(out + i, _mm_mul_ps(_mm_mul_ps(dots, _mm_loadu_ps(scales + i)), unit));
  }
  for (; i < count; ++i) {
    __m256i even = _mm256_setzero_si256(), odd = even;
    for (std::size_t d = 0; d < query.size; d += 64) {
      const auto* row = reinterpret_cast<const __m256i*>(rows + i * query.size + d);
      const auto* vector = reinterpret_cast<const __m256i*>(query.shifted.data() + d);
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

}  // namespace

Int8Vector::Int8Vector(std::span<const float> vector) : size(vector.size()) {
  float largest = 1e-9F;
  for (const float value : vector) largest = std::max(largest, std::abs(value));
  for (std::size_t d = 0; d < size; ++d) {
    values[d] = static_cast<std::int8_t>(std::lround(vector[d] * 127 / largest));
    shifted[d] = static_cast<std::uint8_t>(values[d] + 128);
  }
  unit = largest / 127;
}

Int8Rows::Int8Rows(std::string_view values, std::vector<float> scales, std::size_t dimensions)
    : Int8Rows(Table::Copy(values), std::move(scales), dimensions) {}

Int8Rows::Int8Rows(Table values, std::vector<float> scales, std::size_t dimensions)
    : dimensions_(dimensions), values_(std::move(values)), scales_(std::move(scales)), sums_(scales_.size()) {
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    const std::int8_t* const row = values_.int8() + i * dimensions_;
    sums_[i] = std::accumulate(row, row + dimensions_, 0);
  }
}

void Int8Rows::Prefetch(std::size_t begin, std::size_t end) const {
  constexpr std::size_t kLine = 64;
  const std::int8_t* const last = values_.int8() + end * dimensions_;
  for (const std::int8_t* line = values_.int8() + begin * dimensions_; line < last; line += kLine) {
    __builtin_prefetch(line);
  }
}

void Int8Rows::Products(const Int8Vector& vector, std::size_t begin, std::size_t end, float* out) const {
  if (begin >= end) return;
  BestKernel(dimensions_)(values_.int8() + begin * dimensions_, &scales_[begin], &sums_[begin], end - begin, vector,
                          out);
}

}  // namespace pointsman::classifier
