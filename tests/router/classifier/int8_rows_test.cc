#include "router/classifier/int8_rows.h"

#include <gtest/gtest.h>

#include <cmath>

#include "router/offline/random.h"

namespace pointsman::classifier {
namespace {

// 8: plain; 16: AVX2; 64 and 128: VNNI, where the machine has it.
TEST(Int8Rows, ProductsAreThoseOfTheInt8Values) {
  offline::SplitMix random(1);
  for (const std::size_t dimensions : {8UL, 16UL, 24UL, 64UL, 128UL, 512UL}) {
    constexpr std::size_t kRows = 40;
    std::string values;
    std::vector<float> scales;
    for (std::size_t i = 0; i < kRows * dimensions; ++i) {
      values += static_cast<char>(static_cast<std::int8_t>(static_cast<int>(random.Below(256)) - 128));
    }
    for (std::size_t i = 0; i < kRows; ++i) scales.push_back(0.001F * static_cast<float>(1 + i));
    std::vector<float> vector(dimensions);
    for (float& value : vector) value = static_cast<float>(random.Below(2001)) / 1000 - 1;
    const Int8Rows rows(values, scales, dimensions);
    ASSERT_EQ(rows.size(), kRows);
    const Int8Vector query(vector);
    std::vector<float> out(kRows, -1);
    rows.Products(query, 3, kRows, &out[3]);
    for (std::size_t i = 0; i < kRows; ++i) {
      long sum = 0;
      double exact = 0;
      for (std::size_t d = 0; d < dimensions; ++d) {
        const auto value = static_cast<std::int8_t>(values[i * dimensions + d]);
        sum += static_cast<long>(value) * query.values[d];
        exact += static_cast<double>(value) * vector[d];
      }
      if (i < 3) {
        EXPECT_EQ(out[i], -1) << "a row before the first one was written";
        continue;
      }
      EXPECT_EQ(out[i], static_cast<float>(sum) * scales[i] * query.unit);
      EXPECT_NEAR(out[i], exact * scales[i], 128.0 * static_cast<double>(dimensions) * scales[i] / 254);
    }
  }
}

TEST(Int8Rows, NoRowsAreNoWork) {
  const Int8Rows rows(std::string(16, '\1'), {1, 1}, 8);
  const Int8Vector query(std::vector<float>(8, 1.0F));
  rows.Products(query, 1, 1, nullptr);
  const Int8Vector nothing(std::vector<float>(8, 0.0F));
  float out = 1;
  rows.Products(nothing, 0, 1, &out);
  EXPECT_EQ(out, 0);
}

}  // namespace
}  // namespace pointsman::classifier
