// router/classifier/predictor.h: what each expert's answer to a text is worth, in microseconds, in the loop.
//
// With counts n_f of hashed n-grams (ngram_counts.h) and the statistics s_j of the text (text_statistics.h):
//   quality_m = bias_m + sum_f x_f w_fm / |x| + sum_j clamp((s_j - mean_j) * scale_j, -3, 3) * v_jm + sum_d e_d u_dm,
// where e is the text's vector (static_embedding.h), if the model has an embedding, and
//   x_f = ln(1 + n_f) * idf_f.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pointsman/v1/artifact.pb.h"
#include "router/classifier/static_embedding.h"
#include "router/classifier/text_statistics.h"

namespace pointsman::classifier {

inline constexpr std::uint32_t kPredictorVersion = 1;
inline constexpr std::size_t kMaxPredictorExperts = 64;

// What is wrong with the numbers of a model, or "" when it can be served.
std::string Flaw(const v1::Predictor& model);

// Immutable, any thread.
class Predictor {
 public:
  // `model` has no Flaw().
  Predictor(const v1::Predictor& model, std::string checksum);

  // Reads a file and checks it whole. Blocking. Every error names the file.
  static Result<std::shared_ptr<const Predictor>> Load(const std::filesystem::path& file);

  // The expected quality of each expert for `text`, on the scale of the training rows; it may go a little over its
  // ends. Never fails: an empty text gets the training rows' mean, moved by its statistics.
  std::vector<float> Predict(std::string_view text) const;

  const std::vector<std::string>& experts() const { return experts_; }
  std::string_view checksum() const { return checksum_; }  // 64 hex digits; "" for a model that is no file

  // Predictions for training rows by models that did not see them, row-major [rows][experts].
  std::span<const float> calibration() const { return calibration_; }

  // The gain (quality of `strong` minus that of `weak`, indices into experts()) above which the share `strong_share` of
  // the calibration rows lies: +infinity for 0, -infinity for 1.
  double GainThreshold(std::size_t weak, std::size_t strong, double strong_share) const;

 private:
  std::vector<std::string> experts_;
  std::string checksum_;
  std::uint32_t bucket_bits_;
  std::size_t max_bytes_;
  std::string idf_;             // [row], uint8
  std::vector<float> weights_;  // [row][expert]
  TextStatistics mean_, scale_;
  std::vector<float> statistic_weights_;  // [statistic][expert]
  std::vector<float> bias_;
  std::optional<StaticEmbedding> embedding_;
  std::vector<float> vector_weights_;  // [dimension][expert]
  std::vector<float> calibration_;
};

// Writes beside `file` and renames over it. Blocking. Returns the checksum.
Result<std::string> WritePredictor(const std::filesystem::path& file, const v1::PredictorArtifact& artifact);

// A statistic as the model takes it.
float Standardised(float value, float mean, float scale);

}  // namespace pointsman::classifier
