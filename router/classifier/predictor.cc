#include "router/classifier/predictor.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <set>

#include "router/classifier/ensemble.h"
#include "router/classifier/envelope.h"
#include "router/classifier/features.h"
#include "router/classifier/ngram_counts.h"

namespace pointsman::classifier {
namespace {

constexpr Envelope kEnvelope = {"PMPREDI1", "predictor artifact", "pointsman train predictor"};
constexpr float kCut = 3;  // standard deviations

std::vector<float> Floats(const std::string& bytes) {
  static_assert(std::endian::native == std::endian::little);
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

template <class Values>
bool AllFinite(const Values& values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

}  // namespace

std::string Flaw(const v1::Predictor& model) {
  const auto experts = static_cast<std::size_t>(model.experts_size());
  if (experts < 2 || experts > kMaxPredictorExperts) return "it has " + std::to_string(experts) + " experts (2 to 64)";
  const std::set<std::string> distinct(model.experts().begin(), model.experts().end());
  if (distinct.size() != experts || distinct.contains("")) return "its expert names are empty or not distinct";
  if (model.bucket_bits() < 8 || model.bucket_bits() > 22) return "bucket_bits is not 8 to 22";
  if (model.groups() != kNgramGroups) return "it has " + std::to_string(model.groups()) + " feature groups (2)";
  if (model.max_bytes() < 64 || model.max_bytes() > kMaxTextBytes) return "max_bytes is not 64 to 16384";
  const std::size_t rows = static_cast<std::size_t>(kNgramGroups) << model.bucket_bits();
  if (model.idf().size() != rows) return "the idf table has the wrong size";
  if (model.weights().size() != rows * experts * sizeof(float)) return "the weight table has the wrong size";
  if (model.statistic_mean_size() != kTextStatistics || model.statistic_scale_size() != kTextStatistics) {
    return "it has " + std::to_string(model.statistic_mean_size()) + " text statistics (" +
           std::to_string(kTextStatistics) + "): train it anew";
  }
  if (static_cast<std::size_t>(model.statistic_weights_size()) != kTextStatistics * experts) {
    return "it has the wrong number of statistic weights";
  }
  if (static_cast<std::size_t>(model.bias_size()) != experts) return "it has the wrong number of biases";
  if (model.calibration().empty() || model.calibration().size() % (experts * sizeof(float)) != 0) {
    return "the calibration table has the wrong size";
  }
  if (model.has_embedding()) {
    if (std::string flaw = Flaw(model.embedding()); !flaw.empty()) return flaw;
  }
  const std::size_t dimensions = model.has_embedding() ? model.embedding().dimensions() : 0;
  if (static_cast<std::size_t>(model.vector_weights_size()) != dimensions * experts) {
    return "it has the wrong number of weights for the text's vector";
  }
  if (!AllFinite(model.vector_weights())) return "a number in it is not finite";
  if (!AllFinite(Floats(model.weights())) || !AllFinite(model.bias()) || !AllFinite(model.statistic_mean()) ||
      !AllFinite(model.statistic_scale()) || !AllFinite(model.statistic_weights()) ||
      !AllFinite(Floats(model.calibration()))) {
    return "a number in it is not finite";
  }
  return "";
}

float Standardised(float value, float mean, float scale) { return std::clamp((value - mean) * scale, -kCut, kCut); }

Predictor::Predictor(const v1::Predictor& model, std::string checksum)
    : experts_(model.experts().begin(), model.experts().end()),
      checksum_(std::move(checksum)),
      bucket_bits_(model.bucket_bits()),
      max_bytes_(model.max_bytes()),
      idf_(model.idf()),
      weights_(Floats(model.weights())),
      statistic_weights_(model.statistic_weights().begin(), model.statistic_weights().end()),
      bias_(model.bias().begin(), model.bias().end()),
      vector_weights_(model.vector_weights().begin(), model.vector_weights().end()),
      calibration_(Floats(model.calibration())) {
  std::copy(model.statistic_mean().begin(), model.statistic_mean().end(), mean_.begin());
  std::copy(model.statistic_scale().begin(), model.statistic_scale().end(), scale_.begin());
  if (model.has_embedding()) embedding_.emplace(model.embedding());
}

Result<std::shared_ptr<const Predictor>> Predictor::Load(const std::filesystem::path& file) {
  auto read = ReadEnvelope(kEnvelope, file);
  if (!read) return std::move(read).error();
  v1::PredictorArtifact artifact;
  if (!artifact.ParseFromString(read->message)) return BadFile(kEnvelope, file, "its message cannot be parsed");
  if (artifact.version() != kPredictorVersion) {
    return BadFile(kEnvelope, file,
                   "written by another version (format " + std::to_string(artifact.version()) +
                       ", this program reads " + std::to_string(kPredictorVersion) + "): train it anew");
  }
  if (const std::string flaw = Flaw(artifact.predictor()); !flaw.empty()) return BadFile(kEnvelope, file, flaw);
  return std::make_shared<const Predictor>(artifact.predictor(), std::move(read->checksum));
}

std::vector<float> Predictor::Predict(std::string_view text) const {
  thread_local std::vector<std::uint32_t> scratch;
  thread_local std::vector<NgramCount> counts;
  CountNgrams(text, max_bytes_, bucket_bits_, scratch, counts);
  const std::size_t m = experts_.size();
  std::vector<float> quality(m);
  float squares = 0;
  for (const NgramCount& ngram : counts) {
    const auto idf = static_cast<float>(static_cast<std::uint8_t>(idf_[ngram.row]));
    if (idf == 0) continue;
    const float x = std::log1p(static_cast<float>(ngram.count)) * idf;
    squares += x * x;
    const float* weights = &weights_[ngram.row * m];
    for (std::size_t e = 0; e < m; ++e) quality[e] += x * weights[e];
  }
  const float norm = squares > 0 ? 1 / std::sqrt(squares) : 0;
  for (std::size_t e = 0; e < m; ++e) quality[e] = quality[e] * norm + bias_[e];
  const TextStatistics statistics = StatisticsOf(text, max_bytes_);
  for (std::size_t s = 0; s < kTextStatistics; ++s) {
    const float value = Standardised(statistics[s], mean_[s], scale_[s]);
    for (std::size_t e = 0; e < m; ++e) quality[e] += value * statistic_weights_[s * m + e];
  }
  std::array<float, kMaxDimensions> vector;
  const std::span<float> used(vector.data(), embedding_ ? embedding_->dimensions() : 0);
  if (embedding_) EmbedText(*embedding_, text, max_bytes_, used);
  for (std::size_t d = 0; d < used.size(); ++d) {
    for (std::size_t e = 0; e < m; ++e) quality[e] += used[d] * vector_weights_[d * m + e];
  }
  return quality;
}

double Predictor::GainThreshold(std::size_t weak, std::size_t strong, double strong_share) const {
  if (strong_share <= 0) return std::numeric_limits<double>::infinity();
  if (strong_share >= 1) return -std::numeric_limits<double>::infinity();
  std::vector<double> gains;
  for (std::size_t row = 0; row < calibration_.size(); row += experts_.size()) {
    gains.push_back(static_cast<double>(calibration_[row + strong]) - calibration_[row + weak]);
  }
  std::sort(gains.begin(), gains.end(), std::greater<>());
  const auto above = static_cast<std::size_t>(std::lround(strong_share * static_cast<double>(gains.size())));
  if (above == 0) return std::nextafter(gains.front(), std::numeric_limits<double>::infinity());
  return gains[above - 1];
}

Result<std::string> WritePredictor(const std::filesystem::path& file, const v1::PredictorArtifact& artifact) {
  return WriteEnvelope(kEnvelope, file, artifact.SerializeAsString());
}

}  // namespace pointsman::classifier
