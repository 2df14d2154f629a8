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
#include "router/classifier/table.h"

namespace pointsman::classifier {

// Makes probabilities of the logits in evidence.probabilities (softmax), and finds the likeliest and the entropy.
void Normalise(policies::Evidence& evidence);

class LinearModel final : public Classifier {
 public:
  // `model` has no Flaw() (artifact.h). Copies it.
  LinearModel(const v1::LinearClassifier& model, std::string checksum, std::optional<double> entropy_threshold);
  // The same with tables that lie elsewhere (artifact_tables.h), where they stay.
  LinearModel(const v1::LinearClassifier& model, Table idf, Table weights, std::string checksum,
              std::optional<double> entropy_threshold);

  policies::Evidence Classify(std::string_view text) const override;
  // Likewise, with what Normalise() makes probabilities of: the logits. Neither entropy nor likeliest are set.
  policies::Evidence Logits(std::string_view text) const;
  std::vector<std::pair<std::string, double>> Explain(std::string_view text, std::size_t category,
                                                      std::size_t count) const override;
  const std::vector<std::string>& categories() const override { return categories_; }
  std::string_view checksum() const override { return checksum_; }

 private:
  static constexpr std::size_t kWide = 8;
  // What the sums are made of.
  struct Tables {
    const std::uint8_t* idf;
    const std::int8_t* weights;
    std::size_t categories;
  };
  // Adds idf * weight of `count` rows to `sums`, which are in parts of kWide categories. The last part ends with the
  // last category: of 20 categories the parts are 0 to 7, 8 to 15 and 12 to 19. So a row is read whole and nothing
  // beside it.
  using Kernel = void (*)(const Tables& tables, const std::uint32_t* rows, std::size_t count, std::int32_t* sums);

  template <std::size_t kParts>
  static void SumParts(const Tables& tables, std::size_t part, const std::uint32_t* rows, std::size_t count,
                       std::int32_t* sums);
  static void SumRows(const Tables& tables, const std::uint32_t* rows, std::size_t count, std::int32_t* sums);
  static void SumRowsWide(const Tables& tables, const std::uint32_t* rows, std::size_t count, std::int32_t* sums);
  static Kernel BestKernel();
  // Where the sum of a category is.
  std::size_t SumOf(std::size_t category) const { return category < last_part_ ? category : category + overlap_; }

  std::uint8_t idf(std::uint32_t row) const { return idf_.uint8()[row]; }
  std::int8_t weight(std::uint32_t row, std::size_t category) const {
    return weights_.int8()[row * categories_.size() + category];
  }

  std::vector<std::string> categories_;
  std::string checksum_;
  std::uint32_t bucket_bits_;
  std::size_t max_bytes_;
  Table idf_;                        // uint8 [row]
  Table weights_;                    // int8 [row][category]
  std::size_t last_part_, overlap_;  // its first category of its own, and how many it has in common with the one before
  std::vector<float> scales_;        // of a category's sum; idf scale and temperature included
  std::vector<float> bias_;          // temperature included
  double entropy_threshold_;
  Kernel kernel_ = BestKernel();
};

}  // namespace pointsman::classifier
