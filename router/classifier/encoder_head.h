// router/classifier/encoder_head.h: a second opinion on the category, from a sentence embedding and the fast lane's
// answer together.
//
//   p_linear      softmax(W e + b): multinomial logistic regression on the embedding e
//   p_neighbours  of the k nearest training rows, a vote of exp(t cos) each (distance-weighted nearest neighbours,
//   Dudani
//                 1976, with an exponential weight), mixed with 2 % of a uniform distribution
//   p             softmax of (w_f log p_fast + w_l log p_linear + w_n log p_neighbours) / temperature: a logarithmic
//                 opinion pool (Genest and Zidek 1986)
//
// Their errors differ, hence the sum is better than each (docs/classifier.md has figures).
//
// The two lanes are a cascade of a weak and a strong classifier (Mowst, arXiv 2311.05185, section 2), with a gate of
// policies/gate/: C is the probability that the fast lane is right.
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
#include "pointsman/v1/encoder.pb.h"
#include "policies/evidence.h"
#include "policies/gate/cascade_gate.h"
#include "router/classifier/stored_vectors.h"

namespace pointsman::classifier {

inline constexpr std::uint32_t kEncoderHeadVersion = 2;  // of the file's format

// Immutable; any thread.
class EncoderHead {
 public:
  // Reads and checks a file whole. Errors name it and what is wrong with it. `entropy_threshold` (nats) replaces the
  // head's own.
  static Result<std::shared_ptr<const EncoderHead>> Load(const std::filesystem::path& file,
                                                         std::optional<double> entropy_threshold);

  // `head` has no Flaw().
  EncoderHead(const v1::EncoderHead& head, std::string checksum, std::optional<double> entropy_threshold);

  // The fast lane's evidence, refined by the embedding (length 1) of the same text. Pure. Takes about 0.1 us a
  // neighbour. Errors: kInternal, when `fast` is not of the head's categories or the embedding not of its dimension.
  Result<policies::Evidence> PreciseEvidence(const policies::Evidence& fast, std::span<const float> embedding) const;

  // Its parts, natural logarithms of C probabilities.
  std::vector<double> LinearLogProbabilities(std::span<const float> embedding) const;
  std::vector<double> NeighbourLogProbabilities(std::span<const float> embedding) const;

  // C of the fast lane's answer by the head's gate, in [0, 1]. `fast` is of the head's categories. Pure, no allocation.
  double Confidence(const policies::Evidence& fast) const;
  // Under it are `share` (in [0, 1]) of the training's held-out rows; where many have the same C, the nearest share
  // that can be had, which may be a larger one: the lane's budget keeps the share of requests.
  double ThresholdForShare(double share) const;

  const std::vector<std::string>& categories() const { return categories_; }
  std::size_t dimension() const { return neighbours_.dimension(); }
  const std::string& encoder() const { return encoder_; }        // the encoder model's name
  const std::string& classifier() const { return classifier_; }  // checksum of the fast lane's artifact
  const std::string& checksum() const { return checksum_; }

 private:
  std::vector<std::string> categories_;
  std::string encoder_, classifier_, checksum_;
  std::vector<float> weights_;  // [C][D]
  std::vector<float> bias_;
  StoredVectors neighbours_;
  std::size_t nearest_;
  double sharpness_, fast_weight_, linear_weight_, neighbour_weight_, temperature_, entropy_threshold_;
  gate::CascadeGate gate_;
};

// Writes a head that has no Flaw(). Returns its checksum. Blocking.
Result<std::string> WriteEncoderHead(const std::filesystem::path& file, const v1::EncoderHead& head);

// What is wrong with the numbers of a head, or "" when it can be served.
std::string Flaw(const v1::EncoderHead& head);

}  // namespace pointsman::classifier
