// router/classifier/stored_vectors.h: the nearest of many stored vectors, by an exact scan over int8 values.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pointsman::classifier {

struct NearVector {
  std::uint32_t row;
  float cosine;
};

// Rows of length 1, each as int8 values with a scale of its own: an error of about 0.001 in a cosine. Immutable once
// filled; any thread.
class StoredVectors {
 public:
  // D > 0, at most 65536: sums fit 32 bits.
  explicit StoredVectors(std::size_t dimension) : dimension_(dimension) {}

  // `vector` has D values. `category` is what Vote() counts.
  void Add(std::span<const float> vector, std::uint32_t category);
  // A row as an artifact holds it: D int8 values.
  void Add(const std::int8_t* values, float scale, std::uint32_t category);

  // The `count` nearest by cosine, nearest first, of equals the lower row first; fewer when there are fewer.
  std::vector<NearVector> Nearest(std::span<const float> vector, std::size_t count) const;

  std::size_t size() const { return scales_.size(); }
  std::size_t dimension() const { return dimension_; }
  std::uint32_t category(std::size_t row) const { return categories_[row]; }
  float scale(std::size_t row) const { return scales_[row]; }
  std::span<const std::int8_t> values(std::size_t row) const {
    return std::span(values_).subspan(row * dimension_, dimension_);
  }

 private:
  std::size_t dimension_;
  std::vector<std::int8_t> values_;  // [N][D]
  std::vector<float> scales_;
  std::vector<std::uint32_t> categories_;
};

// Votes of exp(sharpness * cosine) for the categories of the first `count` neighbours, as natural logarithms of
// probabilities over `categories` categories, mixed with 2 % of a uniform distribution so that none is impossible.
std::vector<double> VoteLogProbabilities(const StoredVectors& rows, std::span<const NearVector> nearest,
                                         std::size_t count, double sharpness, std::size_t categories);

}  // namespace pointsman::classifier
