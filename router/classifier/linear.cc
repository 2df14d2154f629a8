#include "router/classifier/linear.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <map>
#include <utility>

#include "router/classifier/artifact.h"
#include "router/classifier/features.h"

namespace pointsman::classifier {
namespace {

// The feature as people read it: a word, two words, or a part of a word with * where the word goes on.
std::string Readable(const Feature& feature) {
  switch (feature.group) {
    case Group::kWord: return std::string(feature.first);
    case Group::kPair: return std::string(feature.first) + " " + std::string(feature.second);
    case Group::kCharacters: break;
  }
  std::string_view part = feature.first;
  const bool starts = part.front() == '<', ends = part.back() == '>';
  if (starts) part.remove_prefix(1);
  if (ends) part.remove_suffix(1);
  std::string text = starts ? "" : "*";
  text += part;
  if (!ends) text += '*';
  return text;
}

}  // namespace

void Normalise(policies::Evidence& evidence) {
  std::vector<float>& p = evidence.probabilities;
  const auto highest = std::max_element(p.begin(), p.end());
  const float shift = *highest;
  evidence.likeliest = static_cast<std::size_t>(highest - p.begin());
  float total = 0;
  double moment = 0;  // -sum p ln p = ln total - moment / total, so no category needs a logarithm
  for (float& value : p) {
    const float logit = value - shift;
    value = std::exp(logit);
    total += value;
    moment += value * logit;
  }
  for (float& value : p) value /= total;
  evidence.entropy = std::clamp(std::log(total) - moment / total, 0.0, std::log(static_cast<double>(p.size())));
}

LinearModel::LinearModel(const v1::LinearClassifier& model, std::string checksum,
                         std::optional<double> entropy_threshold)
    : LinearModel(model, Table::Copy(model.idf()), Table::Copy(model.weights()), std::move(checksum),
                  entropy_threshold) {}

LinearModel::LinearModel(const v1::LinearClassifier& model, Table idf, Table weights, std::string checksum,
                         std::optional<double> entropy_threshold)
    : categories_(model.categories().begin(), model.categories().end()),
      checksum_(std::move(checksum)),
      bucket_bits_(model.bucket_bits()),
      max_bytes_(model.max_bytes()),
      idf_(std::move(idf)),
      weights_(std::move(weights)),
      last_part_((categories_.size() - 1) / kWide * kWide),
      overlap_(categories_.size() < kWide ? 0 : last_part_ + kWide - categories_.size()),
      entropy_threshold_(entropy_threshold.value_or(model.entropy_threshold())) {
  for (std::size_t c = 0; c < categories_.size(); ++c) {
    scales_.push_back(model.scales(static_cast<int>(c)) * model.idf_scale() / model.temperature());
    bias_.push_back(model.bias(static_cast<int>(c)) / model.temperature());
  }
}

// Vector types of the compiler (gcc, clang), because the plain loop compiled to scalar code. The products fit 16 bits
// (127 * 255). Always inlined, so that each caller compiles it for the instructions that it may use.
template <std::size_t kParts>
[[gnu::always_inline]] inline void LinearModel::SumParts(const Tables& tables, std::size_t part,
                                                         const std::uint32_t* rows, std::size_t count,
                                                         std::int32_t* sums) {
  using Bytes [[gnu::vector_size(kWide)]] = std::int8_t;
  using Shorts [[gnu::vector_size(2 * kWide)]] = std::int16_t;
  using Words [[gnu::vector_size(4 * kWide)]] = std::int32_t;
  const std::size_t first = part * kWide;
  const std::size_t last = std::min(first + (kParts - 1) * kWide, tables.categories - kWide);
  Words local[kParts];
  std::memcpy(local, sums + first, sizeof local);
  for (std::size_t i = 0; i < count; ++i) {
    const std::int8_t* const row = tables.weights + rows[i] * tables.categories;
    const std::int16_t idf = tables.idf[rows[i]];
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kParts; ++p) {
      Bytes weights;
      std::memcpy(&weights, row + (p + 1 < kParts ? first + p * kWide : last), sizeof weights);
      local[p] += __builtin_convertvector(__builtin_convertvector(weights, Shorts) * idf, Words);
    }
  }
  std::memcpy(sums + first, local, sizeof local);
}

[[gnu::always_inline]] inline void LinearModel::SumRows(const Tables& tables, const std::uint32_t* rows,
                                                        std::size_t count, std::int32_t* sums) {
  if (tables.categories < kWide) {
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t c = 0; c < tables.categories; ++c) {
        sums[c] += tables.idf[rows[i]] * tables.weights[rows[i] * tables.categories + c];
      }
    }
    return;
  }
  const std::size_t parts = (tables.categories + kWide - 1) / kWide;
  for (std::size_t part = 0; part < parts; part += 4) {  // as many sums as fit into registers
    switch (parts - part) {
      case 1: SumParts<1>(tables, part, rows, count, sums); break;
      case 2: SumParts<2>(tables, part, rows, count, sums); break;
      case 3: SumParts<3>(tables, part, rows, count, sums); break;
      default: SumParts<4>(tables, part, rows, count, sums); break;
    }
  }
}

#if defined(__x86_64__)
[[gnu::target("avx2")]] void LinearModel::SumRowsWide(const Tables& tables, const std::uint32_t* rows,
                                                      std::size_t count, std::int32_t* sums) {
  SumRows(tables, rows, count, sums);
}
LinearModel::Kernel LinearModel::BestKernel() { return __builtin_cpu_supports("avx2") ? SumRowsWide : SumRows; }
#else
void LinearModel::SumRowsWide(const Tables& tables, const std::uint32_t* rows, std::size_t count, std::int32_t* sums) {
  SumRows(tables, rows, count, sums);
}
LinearModel::Kernel LinearModel::BestKernel() { return SumRows; }
#endif

policies::Evidence LinearModel::Classify(std::string_view text) const {
  policies::Evidence evidence = Logits(text);
  Normalise(evidence);
  evidence.novelty = evidence.entropy;
  evidence.entropy_threshold = entropy_threshold_;
  evidence.uncertain = evidence.entropy > entropy_threshold_;
  return evidence;
}

policies::Evidence LinearModel::Logits(std::string_view text) const {
  // Rows are looked up a batch at a time, so that their cache misses overlap.
  constexpr std::size_t kBatch = 256;
  std::array<std::uint32_t, kBatch> batch;
  std::array<std::int32_t, kMaxCategories> sums{};
  const Tables tables = {idf_.uint8(), weights_.int8(), categories_.size()};
  std::size_t waiting = 0, occurrences = 0;
  const auto flush = [&] {
    kernel_(tables, batch.data(), waiting, sums.data());
    occurrences += waiting;
    waiting = 0;
  };
  policies::Evidence evidence;
  evidence.bytes_total = text.size();
  evidence.bytes_read = StreamFeatures(text, max_bytes_, [&](const Feature& feature) {
    const std::uint32_t row = feature.Row(bucket_bits_);
    const std::int8_t* const weights = tables.weights + row * tables.categories;
    __builtin_prefetch(weights);
    __builtin_prefetch(weights + tables.categories - 1);  // a row may begin at the end of a cache line
    __builtin_prefetch(tables.idf + row);
    batch[waiting] = row;
    if (++waiting == kBatch) flush();
  });
  flush();

  const std::size_t count = categories_.size();
  evidence.categories = categories_;
  evidence.probabilities.resize(count);
  float* p = evidence.probabilities.data();
  if (occurrences == 0) {
    std::fill_n(p, count, 0.0F);
  } else {
    const float norm = 1.0F / std::sqrt(static_cast<float>(occurrences));
    for (std::size_t c = 0; c < count; ++c) p[c] = static_cast<float>(sums[SumOf(c)]) * norm * scales_[c] + bias_[c];
  }
  return evidence;
}

std::vector<std::pair<std::string, double>> LinearModel::Explain(std::string_view text, std::size_t category,
                                                                 std::size_t count) const {
  if (category >= categories_.size()) return {};
  std::map<std::pair<Group, std::string>, double> shares;
  std::size_t occurrences = 0;
  StreamFeatures(text, max_bytes_, [&](const Feature& feature) {
    ++occurrences;
    const std::uint32_t row = feature.Row(bucket_bits_);
    if (idf(row) == 0) return;
    const auto share = [&](std::size_t c) { return static_cast<double>(idf(row)) * weight(row, c) * scales_[c]; };
    double mean = 0;
    for (std::size_t c = 0; c < categories_.size(); ++c) mean += share(c) / static_cast<double>(categories_.size());
    shares[{feature.group, Readable(feature)}] += share(category) - mean;
  });
  std::vector<std::pair<std::string, double>> sorted;
  for (auto& [key, share] : shares)
    sorted.emplace_back(key.second, share / std::sqrt(static_cast<double>(occurrences)));
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  if (sorted.size() > count) sorted.resize(count);
  return sorted;
}

}  // namespace pointsman::classifier
