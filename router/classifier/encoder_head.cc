#include "router/classifier/encoder_head.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <set>

#include "router/classifier/artifact.h"
#include "router/classifier/cascade_file.h"
#include "router/classifier/envelope.h"

namespace pointsman::classifier {
namespace {

constexpr Envelope kEnvelope{"PMENCHD1", "encoder head", "pointsman train encoder"};
constexpr double kLeastProbability = 1e-9;  // of the fast lane: its float may be 0, and 0 would be a veto

// Logits to logarithms of probabilities, in place.
void LogSoftmax(std::vector<double>& logits) {
  const double highest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit - highest);
  const double log_sum = highest + std::log(sum);
  for (double& logit : logits) logit -= log_sum;
}

template <class Values>
bool AllFinite(const Values& values) {
  return std::all_of(std::begin(values), std::end(values), [](float value) { return std::isfinite(value); });
}

}  // namespace

std::string Flaw(const v1::EncoderHead& head) {
  const auto categories = static_cast<std::size_t>(head.categories_size());
  const auto dimension = static_cast<std::size_t>(head.dimension());
  const auto rows = static_cast<std::size_t>(head.neighbour_scales_size());
  if (categories < 2 || categories > kMaxCategories) return "it has not 2 to 256 categories";
  const std::set<std::string> distinct(head.categories().begin(), head.categories().end());
  if (distinct.size() != categories || distinct.contains("")) return "its category names are empty or not distinct";
  if (dimension < 8 || dimension > 8192) return "its embeddings have not 8 to 8192 dimensions";
  if (static_cast<std::size_t>(head.weights_size()) != categories * dimension)
    return "it has the wrong number of weights";
  if (static_cast<std::size_t>(head.bias_size()) != categories) return "it has the wrong number of biases";
  if (rows < 1 || head.neighbours().size() != rows * dimension ||
      static_cast<std::size_t>(head.neighbour_categories_size()) != rows) {
    return "its neighbours have the wrong size";
  }
  if (std::any_of(head.neighbour_categories().begin(), head.neighbour_categories().end(),
                  [&](std::uint32_t category) { return category >= categories; })) {
    return "a neighbour has a category that does not exist";
  }
  if (head.nearest() < 1 || head.nearest() > 1000) return "nearest is not 1 to 1000";
  const float numbers[] = {head.sharpness(),        head.fast_weight(), head.linear_weight(),
                           head.neighbour_weight(), head.temperature(), head.entropy_threshold()};
  if (!AllFinite(head.weights()) || !AllFinite(head.bias()) || !AllFinite(head.neighbour_scales()) ||
      !AllFinite(numbers)) {
    return "one of its numbers is not finite";
  }
  if (!(head.temperature() > 0)) return "the temperature is not positive";
  if (!(head.sharpness() >= 0) || !(head.entropy_threshold() >= 0)) return "sharpness or threshold is negative";
  gate::CascadeGate gate;
  if (const std::string flaw = FromProto(head.gate(), gate); !flaw.empty()) return "of its gate: " + flaw;
  if (gate.source != gate::SignalSource::kOptions) return "its gate does not read the categories' probabilities";
  return "";
}

Result<std::shared_ptr<const EncoderHead>> EncoderHead::Load(const std::filesystem::path& file,
                                                             std::optional<double> entropy_threshold) {
  Result<EnvelopeFile> enclosed = ReadEnvelope(kEnvelope, file);
  if (!enclosed) return std::move(enclosed).error();
  v1::EncoderHead head;
  if (!head.ParseFromString(enclosed->message)) return BadFile(kEnvelope, file, "its message cannot be parsed");
  if (head.version() != kEncoderHeadVersion)
    return BadFile(kEnvelope, file, "written by another version: train it anew");
  if (const std::string flaw = Flaw(head); !flaw.empty()) return BadFile(kEnvelope, file, flaw);
  return std::shared_ptr<const EncoderHead>(
      std::make_shared<EncoderHead>(head, std::move(enclosed->checksum), entropy_threshold));
}

EncoderHead::EncoderHead(const v1::EncoderHead& head, std::string checksum, std::optional<double> entropy_threshold)
    : categories_(head.categories().begin(), head.categories().end()),
      encoder_(head.encoder()),
      classifier_(head.classifier()),
      checksum_(std::move(checksum)),
      weights_(head.weights().begin(), head.weights().end()),
      bias_(head.bias().begin(), head.bias().end()),
      neighbours_(head.dimension()),
      nearest_(head.nearest()),
      sharpness_(static_cast<double>(head.sharpness())),
      fast_weight_(static_cast<double>(head.fast_weight())),
      linear_weight_(static_cast<double>(head.linear_weight())),
      neighbour_weight_(static_cast<double>(head.neighbour_weight())),
      temperature_(static_cast<double>(head.temperature())),
      entropy_threshold_(entropy_threshold.value_or(static_cast<double>(head.entropy_threshold()))) {
  FromProto(head.gate(), gate_);  // has no flaw
  const auto* const values = reinterpret_cast<const std::int8_t*>(head.neighbours().data());
  for (int row = 0; row < head.neighbour_scales_size(); ++row) {
    neighbours_.Add(values + static_cast<std::size_t>(row) * head.dimension(), head.neighbour_scales(row),
                    head.neighbour_categories(row));
  }
}

std::vector<double> EncoderHead::LinearLogProbabilities(std::span<const float> embedding) const {
  std::vector<double> logits(bias_.begin(), bias_.end());
  for (std::size_t c = 0; c < logits.size(); ++c) {
    const float* const row = &weights_[c * embedding.size()];
    for (std::size_t d = 0; d < embedding.size(); ++d) logits[c] += static_cast<double>(row[d] * embedding[d]);
  }
  LogSoftmax(logits);
  return logits;
}

std::vector<double> EncoderHead::NeighbourLogProbabilities(std::span<const float> embedding) const {
  const std::vector<NearVector> nearest = neighbours_.Nearest(embedding, nearest_);
  return VoteLogProbabilities(neighbours_, nearest, nearest_, sharpness_, categories_.size());
}

Result<policies::Evidence> EncoderHead::PreciseEvidence(const policies::Evidence& fast,
                                                        std::span<const float> embedding) const {
  const std::size_t count = categories_.size();
  if (fast.probabilities.size() != count) return Internal("the encoder head has other categories than the classifier");
  if (embedding.size() != dimension()) {
    return Internal("the embedding has " + std::to_string(embedding.size()) + " dimensions, the encoder head " +
                    std::to_string(dimension()));
  }
  const std::vector<double> linear = LinearLogProbabilities(embedding);
  const std::vector<double> voted = NeighbourLogProbabilities(embedding);
  std::vector<double> logits(count);
  for (std::size_t c = 0; c < count; ++c) {
    const double p = std::max(kLeastProbability, static_cast<double>(fast.probabilities[c]));
    logits[c] = (fast_weight_ * std::log(p) + linear_weight_ * linear[c] + neighbour_weight_ * voted[c]) / temperature_;
  }
  LogSoftmax(logits);

  policies::Evidence precise = fast;  // what was read of the text stays true
  precise.likeliest = 0;
  precise.entropy = 0;
  for (std::size_t c = 0; c < count; ++c) {
    const double p = std::exp(logits[c]);
    precise.probabilities[c] = static_cast<float>(p);
    precise.entropy -= p * logits[c];
    if (precise.probabilities[c] > precise.probabilities[precise.likeliest]) precise.likeliest = c;
  }
  precise.entropy = std::clamp(precise.entropy, 0.0, std::log(static_cast<double>(count)));
  precise.entropy_threshold = entropy_threshold_;
  precise.uncertain = precise.foreign || precise.mixed || precise.entropy > entropy_threshold_;
  return precise;
}

double EncoderHead::Confidence(const policies::Evidence& fast) const {
  std::array<double, kMaxCategories> options;
  const std::size_t count = std::min(fast.probabilities.size(), options.size());
  std::copy_n(fast.probabilities.begin(), count, options.begin());
  gate::WeakSignals signals;
  signals.SetOptions(std::span(options).first(count));
  return gate::Confidence(gate_, signals, &fast);
}

double EncoderHead::ThresholdForShare(double share) const {
  const auto nearest = std::min_element(gate_.curve.begin(), gate_.curve.end(), [share](const auto& a, const auto& b) {
    return std::abs(a.strong_share - share) < std::abs(b.strong_share - share);
  });
  return nearest->threshold;
}

Result<std::string> WriteEncoderHead(const std::filesystem::path& file, const v1::EncoderHead& head) {
  if (const std::string flaw = Flaw(head); !flaw.empty()) return BadFile(kEnvelope, file, flaw);
  return WriteEnvelope(kEnvelope, file, head.SerializeAsString());
}

}  // namespace pointsman::classifier
