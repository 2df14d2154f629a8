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

// Makes probabilities of the logits in evidence.probabilities (softmax), and finds the likeliest and the entropy.
void Normalise(policies::Evidence& evidence);

class LinearModel final : public Classifier {
 public:
  // `model` has no Flaw() (artifact.h).
  LinearModel(const v1::LinearClassifier& model, std::string checksum, std::optional<double> entropy_threshold);

  policies::Evidence Classify(std::string_view text) const override;
  // Likewise, with what Normalise() makes probabilities of: the logits. Neither entropy nor likeliest are set.
  policies::Evidence Logits(std::string_view text) const;
  std::vector<std::pair<std::string, double>> Explain(std::string_view text, std::size_t category,
                                                      std::size_t count) const override;
  const std::vector<std::string>& categories() const override { return categories_; }
  std::string_view checksum() const override { return checksum_; }

 private:
  static constexpr std::size_t kLanes = 32;
  struct alignas(kLanes) Lanes {
    std::int8_t value[kLanes];
  };
  // Adds idf * weight of `count` rows to the sums of one block of lanes.
  using Kernel = void (*)(const Lanes* table, std::size_t blocks, std::size_t block, const std::uint32_t* rows,
                          std::size_t count, std::int32_t* sums);

  static void SumRows(const Lanes* table, std::size_t blocks, std::size_t block, const std::uint32_t* rows,
                      std::size_t count, std::int32_t* sums);
  static void SumRowsWide(const Lanes* table, std::size_t blocks, std::size_t block, const std::uint32_t* rows,
                          std::size_t count, std::int32_t* sums);
  static Kernel BestKernel();

  std::uint8_t idf(std::uint32_t row) const {
    return static_cast<std::uint8_t>(table_[row * blocks_ + blocks_ - 1].value[kLanes - 1]);
  }
  std::int8_t weight(std::uint32_t row, std::size_t category) const {
    return table_[row * blocks_ + category / kLanes].value[category % kLanes];
  }

  std::vector<std::string> categories_;
  std::string checksum_;
  std::uint32_t bucket_bits_;
  std::size_t max_bytes_;
  std::size_t blocks_;         // of kLanes, a row
  std::vector<Lanes> table_;   // [row][block]: a row's int8 weights, zeros, and its uint8 idf in the last lane
  std::vector<float> scales_;  // of a category's sum; idf scale and temperature included
  std::vector<float> bias_;    // temperature included
  double entropy_threshold_;
  Kernel kernel_ = BestKernel();
};

}  // namespace pointsman::classifier
