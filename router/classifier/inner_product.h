// router/classifier/inner_product.h: inner products of int8 vectors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pointsman::classifier {

// sums[i] = row i times `query`, for `count` rows of `query.size()` values, row-major. At most 65536 values each: sums
// fit 32 bits. Any thread.
void InnerProducts(const std::int8_t* rows, std::size_t count, std::span<const std::int8_t> query, std::int32_t* sums);

// Appends `vector` to `to` as int8 values, and returns their scale: vector = values * scale, by its largest value.
float Quantise(std::span<const float> vector, std::vector<std::int8_t>& to);

// Of two vectors of the same size.
inline std::int32_t InnerProduct(std::span<const std::int8_t> a, std::span<const std::int8_t> b) {
  std::int32_t sum;
  InnerProducts(a.data(), 1, b, &sum);
  return sum;
}

}  // namespace pointsman::classifier
