#include "router/classifier/inner_product.h"

#include <algorithm>
#include <cmath>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace pointsman::classifier {
namespace {

std::int32_t Product(const std::int8_t* a, const std::int8_t* b, std::size_t dimension) {
  std::int32_t sum = 0;
  for (std::size_t d = 0; d < dimension; ++d) sum += a[d] * b[d];
  return sum;
}

// Inner products of `query` with each row.
void Products(const std::int8_t* rows, std::size_t count, const std::int8_t* query, std::size_t dimension,
              std::int32_t* sums) {
  for (std::size_t row = 0; row < count; ++row) sums[row] = Product(rows + row * dimension, query, dimension);
}

#if defined(__x86_64__)
// By hand: of the plain loop and of vector types g++ 12 makes code that is several times slower.
[[gnu::target("avx2")]] void ProductsWide(const std::int8_t* rows, std::size_t count, const std::int8_t* query,
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
    std::int32_t sum = Product(values + whole, query + whole, dimension - whole);
    for (const std::int32_t part : parts) sum += part;
    sums[row] = sum;
  }
}
const auto kProducts = __builtin_cpu_supports("avx2") ? ProductsWide : Products;
#else
const auto kProducts = Products;
#endif

}  // namespace

float Quantise(std::span<const float> vector, std::vector<std::int8_t>& to) {
  float largest = 0;
  for (const float value : vector) largest = std::max(largest, std::abs(value));
  const float scale = largest > 0 ? largest / 127 : 1;
  for (const float value : vector) to.push_back(static_cast<std::int8_t>(std::lround(value / scale)));
  return scale;
}

void InnerProducts(const std::int8_t* rows, std::size_t count, std::span<const std::int8_t> query, std::int32_t* sums) {
  kProducts(rows, count, query.data(), query.size(), sums);
}

}  // namespace pointsman::classifier
