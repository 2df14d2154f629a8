// router/classifier/int8_rows.h: cosines of one vector with many stored ones, by int8 values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "router/classifier/static_embedding.h"
#include "router/classifier/table.h"

namespace pointsman::classifier {

// A vector as int8 values, by its largest one.
struct Int8Vector {
  // At most kMaxDimensions values.
  explicit Int8Vector(std::span<const float> vector);

  alignas(64) std::array<std::int8_t, kMaxDimensions> values{};
  alignas(64) std::array<std::uint8_t, kMaxDimensions> shifted{};  // values + 128
  std::size_t size;
  float unit;  // vector = values * unit
};

// Immutable; any thread.
class Int8Rows {
 public:
  // `values` are row-major int8, [n][dimensions]; a row is its values times its scale. `dimensions` is a multiple of 8,
  // at most kMaxDimensions.
  Int8Rows(Table values, std::vector<float> scales, std::size_t dimensions);
  // The same, of a copy of the values.
  Int8Rows(std::string_view values, std::vector<float> scales, std::size_t dimensions);

  std::size_t size() const { return scales_.size(); }

  // out[i] = row (begin + i) times `vector`, for the rows [begin, end). A row's product depends on nothing but the row
  // and the vector: the sum is one of integers.
  void Products(const Int8Vector& vector, std::size_t begin, std::size_t end, float* out) const;

  // Asks the cache for the rows [begin, end), which will be read soon. Changes nothing.
  void Prefetch(std::size_t begin, std::size_t end) const;

 private:
  std::size_t dimensions_;
  Table values_;
  std::vector<float> scales_;
  std::vector<std::int32_t> sums_;  // of a row's values
};

}  // namespace pointsman::classifier
