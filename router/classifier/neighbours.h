// router/classifier/neighbours.h: the rows of training nearest to a text, by the cosine of their vectors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "pointsman/v1/artifact.pb.h"
#include "router/classifier/int8_rows.h"

namespace pointsman::classifier {

// What is wrong with the numbers, or "". `dimensions` are the embedding's.
std::string Flaw(const v1::Neighbours& neighbours, std::size_t dimensions, std::size_t categories);
// The same where their vectors, of `vectors` bytes, lie elsewhere.
std::string Flaw(const v1::Neighbours& neighbours, std::size_t vectors, std::size_t dimensions, std::size_t categories);

// Immutable; any thread. Rows lie in clusters; of these the ones whose centroids are nearest are read whole (inverted
// file: Sivic and Zisserman 2003; Jegou et al. 2011, section IV).
class Neighbours {
 public:
  static constexpr std::size_t kNearest = 5;  // whose mean cosine is the measure of novelty

  // `model` has no Flaw(). Copies it.
  Neighbours(const v1::Neighbours& model, std::size_t categories);
  // The same with vectors that lie in `vectors`, where they stay.
  Neighbours(const v1::Neighbours& model, Table vectors, std::size_t categories);

  std::size_t views() const { return views_; }

  // `vector` has length 1. For view v and category c, out[v * categories + c] = ln of the share of category c in the
  // weights votes_c * exp(sharpness_v * (cosine - largest cosine)) of the rows that are read, smoothed by 2 % of a
  // uniform distribution. Returns the mean cosine of the nearest rows, [-1, 1]. With `excluded` rows whose mark in it
  // is not 0 do not count (size n; for measuring a model on its own rows).
  float LogShares(std::span<const float> vector, std::span<float> out,
                  std::span<const std::uint8_t> excluded = {}) const;

  std::size_t size() const { return labels_.size(); }

 private:
  static constexpr std::size_t kSteps = 1024;  // of the table of exp()

  std::size_t dimensions_, categories_;
  Int8Rows rows_;                     // n
  std::vector<std::uint8_t> labels_;  // n
  std::vector<float> votes_;          // of a category's rows; or none, then each counts 1
  std::vector<std::uint32_t> begin_;  // K + 1
  Int8Rows centroids_;                // K
  std::size_t probes_, views_;
  float reach_;               // a row further below the nearest one does not count
  std::size_t width_;         // views_, and unused ones up to what is added at once
  std::vector<float> decay_;  // [step][width]: exp(-sharpness * below), below = (step + 0.5) * reach / kSteps
};

}  // namespace pointsman::classifier
