#include "router/offline/softmax.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "router/classifier/features.h"
#include "router/offline/random.h"

namespace pointsman::offline {
namespace {

constexpr std::size_t kLanes = 8;  // floats; classes are padded to a multiple of it so that loops over them vectorise

// The texts as rows of a sparse matrix of counts.
struct Counts {
  std::vector<std::size_t> begin{0};  // of each text's entries; one more than texts
  std::vector<std::uint32_t> row;
  std::vector<std::uint16_t> count;
  std::vector<std::uint32_t> occurrences;  // of a text
};

Counts Count(std::span<const Example> examples, const FitOptions& options) {
  Counts counts;
  std::vector<std::uint32_t> rows;
  for (const Example& example : examples) {
    rows.clear();
    classifier::StreamFeatures(example.text, options.max_bytes, [&](const classifier::Feature& feature) {
      rows.push_back(feature.Row(options.bucket_bits));
    });
    std::sort(rows.begin(), rows.end());
    for (std::size_t i = 0; i < rows.size();) {
      std::size_t j = i;
      while (j < rows.size() && rows[j] == rows[i]) ++j;
      counts.row.push_back(rows[i]);
      counts.count.push_back(static_cast<std::uint16_t>(std::min<std::size_t>(j - i, 65535)));
      i = j;
    }
    counts.begin.push_back(counts.row.size());
    counts.occurrences.push_back(static_cast<std::uint32_t>(rows.size()));
  }
  return counts;
}

// Inverse document frequency of each bucket as a byte: (1 + ln((1 + N) / (1 + texts with it))), the largest one 255;
// 0 for buckets that fewer than min_texts texts have.
std::string InverseFrequencies(const Counts& counts, std::size_t buckets, std::uint32_t min_texts) {
  std::vector<std::uint32_t> texts(buckets);
  for (const std::uint32_t row : counts.row) ++texts[row];
  const double n = static_cast<double>(counts.occurrences.size());
  const double most = 1 + std::log((1 + n) / (1.0 + std::min<double>(min_texts, n)));
  std::string idf(buckets, '\0');
  for (std::size_t b = 0; b < buckets; ++b) {
    if (texts[b] == 0 || texts[b] < min_texts) continue;
    const double value = 1 + std::log((1 + n) / (1.0 + texts[b]));
    idf[b] = static_cast<char>(static_cast<std::uint8_t>(std::clamp(std::lround(255 * value / most), 1L, 255L)));
  }
  return idf;
}

// Weights and Adagrad's sums of squares, side by side: [row][weights | sums][stride].
class Fitter {
 public:
  Fitter(std::size_t rows, std::size_t classes)
      : classes_(classes),
        stride_((classes + kLanes - 1) / kLanes * kLanes),
        table_((rows + 1) * 2 * stride_),
        p_(stride_) {}

  float* weights(std::size_t row) { return &table_[row * 2 * stride_]; }
  std::size_t bias_row() const { return table_.size() / (2 * stride_) - 1; }

  // One step on one example: its features' rows and values.
  void Step(std::span<const std::uint32_t> rows, std::span<const float> values, std::uint32_t label, float rate,
            float weight) {
    float* const p = p_.data();
    std::fill(p_.begin(), p_.end(), 0.0F);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const float* w = weights(rows[i]);
      const float x = values[i];
      for (std::size_t c = 0; c < stride_; ++c) p[c] += x * w[c];
    }
    const float highest = *std::max_element(p, p + classes_);
    float total = 0;
    for (std::size_t c = 0; c < classes_; ++c) total += p[c] = std::exp(p[c] - highest);
    for (std::size_t c = 0; c < classes_; ++c) p[c] *= weight / total;
    std::fill(p + classes_, p + stride_, 0.0F);
    p[label] -= weight;  // now the gradient of the logits
    for (std::size_t i = 0; i < rows.size(); ++i) Descend(weights(rows[i]), values[i], rate);
  }

 private:
  void Descend(float* __restrict w, float x, float rate) {
    float* const __restrict sums = w + stride_;
    const float* const __restrict gradient = p_.data();
    for (std::size_t c = 0; c < stride_; ++c) {
      const float g = x * gradient[c];
      sums[c] += g * g;
      w[c] -= rate * g / std::sqrt(sums[c] + 1e-10F);
    }
  }

  std::size_t classes_, stride_;
  std::vector<float> table_;
  std::vector<float> p_;
};

std::vector<float> Weights(std::span<const Example> examples, std::size_t classes, double balance) {
  std::vector<double> size(classes);
  for (const Example& example : examples) ++size[example.label];
  std::vector<float> weights;
  double total = 0;
  for (const Example& example : examples) {
    weights.push_back(example.weight * static_cast<float>(std::pow(size[example.label], -balance)));
    total += weights.back();
  }
  for (float& weight : weights) weight *= static_cast<float>(static_cast<double>(examples.size()) / total);
  return weights;
}

// int8 weights, one scale a class.
void Quantise(Fitter& fitter, std::size_t rows, std::size_t classes, v1::LinearClassifier& model) {
  std::vector<float> largest(classes);
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t c = 0; c < classes; ++c) largest[c] = std::max(largest[c], std::abs(fitter.weights(row)[c]));
  }
  std::string& weights = *model.mutable_weights();
  weights.resize(rows * classes);
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t c = 0; c < classes; ++c) {
      const float unit = largest[c] > 0 ? 127 / largest[c] : 0;
      weights[row * classes + c] = static_cast<char>(std::lround(fitter.weights(row)[c] * unit));
    }
  }
  for (std::size_t c = 0; c < classes; ++c) {
    model.add_scales(largest[c] / 127);
    model.add_bias(fitter.weights(fitter.bias_row())[c]);
  }
}

}  // namespace

v1::LinearClassifier FitSoftmax(std::span<const Example> examples, const std::vector<std::string>& categories,
                                const FitOptions& options, const std::function<void(double)>& progress) {
  const std::size_t rows = static_cast<std::size_t>(classifier::kGroups) << options.bucket_bits;
  const std::size_t classes = categories.size();
  const Counts counts = Count(examples, options);
  v1::LinearClassifier model;
  model.mutable_categories()->Assign(categories.begin(), categories.end());
  model.set_bucket_bits(options.bucket_bits);
  model.set_groups(classifier::kGroups);
  model.set_max_bytes(options.max_bytes);
  model.set_idf(InverseFrequencies(counts, rows, options.min_texts));
  model.set_idf_scale(1.0F / 255);
  model.set_temperature(1);
  model.set_entropy_threshold(std::log(static_cast<float>(classes)));

  Fitter fitter(rows, classes);
  SplitMix random(options.seed);
  const std::vector<float> example_weight = Weights(examples, classes, options.balance);
  const auto keep_below = static_cast<std::uint64_t>((1 - options.dropout) * 65536);
  const float unit = model.idf_scale() / static_cast<float>(1 - options.dropout);
  const double steps = static_cast<double>(options.epochs) * static_cast<double>(examples.size());
  std::vector<std::uint32_t> order(examples.size()), kept;
  std::iota(order.begin(), order.end(), 0U);
  std::vector<float> values;
  std::size_t step = 0;
  for (std::uint32_t epoch = 0; epoch < options.epochs; ++epoch) {
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.Below(i)]);
    for (const std::uint32_t e : order) {
      kept.clear();
      values.clear();
      const float norm = unit / std::sqrt(static_cast<float>(std::max(counts.occurrences[e], 1U)));
      std::uint64_t bits = 0;
      for (std::size_t i = counts.begin[e]; i < counts.begin[e + 1]; ++i) {
        bits = (i - counts.begin[e]) % 4 == 0 ? random.Next() : bits >> 16;
        const auto idf = static_cast<std::uint8_t>(model.idf()[counts.row[i]]);
        if (idf == 0 || (bits & 0xFFFF) >= keep_below) continue;
        kept.push_back(counts.row[i]);
        values.push_back(norm * static_cast<float>(idf) * static_cast<float>(counts.count[i]));
      }
      kept.push_back(static_cast<std::uint32_t>(fitter.bias_row()));
      values.push_back(1);
      const double share = static_cast<double>(step) / steps;
      const auto rate = static_cast<float>(options.learning_rate *
                                           std::pow(options.last_learning_rate / options.learning_rate, share));
      fitter.Step(kept, values, examples[e].label, rate, example_weight[e]);
      ++step;
      if (progress && step % 512 == 0) progress(share);
    }
  }
  Quantise(fitter, rows, classes, model);
  return model;
}

}  // namespace pointsman::offline
