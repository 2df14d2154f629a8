// router/classifier/linear.h: the hashed n-gram model: int8 weights, calibrated softmax.
//
// logit_c = (scale_c * idf_scale * sum over feature occurrences f of idf_f * w_fc / sqrt(n) + bias_c) / temperature,
// n = all occurrences, those of features that training never saw included: a text of unknown words has small logits,
// hence a high entropy.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pointsman/v1/artifact.pb.h"
#include "router/classifier/classifier.h"

namespace pointsman::classifier {

class LinearModel final : public Classifier {
 public:
  // `model` has no Flaw() (artifact.h).
  LinearModel(const v1::LinearClassifier& model, std::string checksum, std::optional<double> entropy_threshold);

  policies::Evidence Classify(std::string_view text) const override;
  std::vector<std::pair<std::string, double>> Explain(std::string_view text, std::size_t category,
                                                      std::size_t count) const override;
  const std::vector<std::string>& categories() const override { return categories_; }
  std::string_view checksum() const override { return checksum_; }

 private:
  static constexpr std::size_t kLanes = 32;
  struct alignas(kLanes) Lanes {
    std::int8_t value[kLanes];
  };

  const Lanes& RowLanes(std::uint32_t row, std::size_t block) const { return rows_[row * blocks_ + block]; }
  void Accumulate(const std::uint32_t* rows, std::size_t count, std::int32_t* sums) const;

  std::vector<std::string> categories_;
  std::string checksum_;
  std::uint32_t bucket_bits_;
  std::size_t max_bytes_;
  std::size_t blocks_;         // blocks of kLanes a row
  std::vector<Lanes> rows_;    // [row][block]; the weights of the categories, zeros behind them
  std::vector<std::uint8_t> idf_;
  std::vector<float> scales_;  // of a category's sum, idf scale and temperature included
  std::vector<float> bias_;    // temperature included
  double entropy_threshold_;
};

}  // namespace pointsman::classifier
