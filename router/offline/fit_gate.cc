#include "router/offline/fit_gate.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "router/classifier/ensemble.h"
#include "router/classifier/features.h"
#include "router/classifier/gate_file.h"
#include "router/offline/cluster.h"
#include "router/offline/logistic.h"
#include "router/offline/random.h"

namespace pointsman::offline {
namespace {

constexpr double kNgramStrength = 10, kVectorStrength = 0.1;
constexpr ClusterSizes kExampleClusters = {32, 192, 0};

std::span<const float> VectorOf(const GateTexts& texts, std::uint32_t row, std::size_t dimensions) {
  return std::span(texts.vectors).subspan(row * dimensions, dimensions);
}

// Of the indices 0 to `size` - 1, `count` drawn without replacement, ascending.
std::vector<std::uint32_t> Draw(std::size_t size, std::size_t count, std::uint64_t seed) {
  SplitMix random(seed);
  std::vector<std::uint32_t> kept;
  for (std::uint32_t i = 0; i < size; ++i) {
    if (random.Below(size - i) < count - kept.size()) kept.push_back(i);
  }
  return kept;
}

std::vector<double> Mean(const GateRows& own, std::size_t dimensions) {
  std::vector<double> mean(dimensions);
  for (const std::uint32_t row : own.rows) {
    const auto vector = VectorOf(own.texts, row, dimensions);
    for (std::size_t d = 0; d < dimensions; ++d) mean[d] += vector[d] / static_cast<double>(own.rows.size());
  }
  return mean;
}

// Adam (Kingma and Ba 2015, algorithm 1) with its usual constants, all rows at each step.
std::vector<double> Phatgoose(const GateRows& own, std::size_t dimensions) {
  constexpr double kRate = 5e-3, kFirst = 0.9, kSecond = 0.999, kSmall = 1e-8;
  constexpr int kSteps = 100;
  std::vector<double> v(dimensions), first(dimensions), second(dimensions), gradient(dimensions);
  for (int step = 1; step <= kSteps; ++step) {
    std::fill(gradient.begin(), gradient.end(), 0.0);
    for (const std::uint32_t row : own.rows) {
      const auto u = VectorOf(own.texts, row, dimensions);
      double logit = 0;
      for (std::size_t d = 0; d < dimensions; ++d) logit += v[d] * u[d];
      const double slope = -1 / ((1 + std::exp(logit)) * static_cast<double>(own.rows.size()));
      for (std::size_t d = 0; d < dimensions; ++d) gradient[d] += slope * u[d];
    }
    for (std::size_t d = 0; d < dimensions; ++d) {
      first[d] = kFirst * first[d] + (1 - kFirst) * gradient[d];
      second[d] = kSecond * second[d] + (1 - kSecond) * gradient[d] * gradient[d];
      const double m = first[d] / (1 - std::pow(kFirst, step)), s = second[d] / (1 - std::pow(kSecond, step));
      v[d] -= kRate * m / (std::sqrt(s) + kSmall);
    }
  }
  return v;
}

void FitVectors(const GateRows& own, const GateRows& pool, std::size_t dimensions, v1::ExpertGate& gate) {
  SparseRows x;
  x.columns = dimensions;
  for (const GateRows* part : {&own, &pool}) {
    for (const std::uint32_t row : part->rows) {
      const auto vector = VectorOf(part->texts, row, dimensions);
      x.value.insert(x.value.end(), vector.begin(), vector.end());
      for (std::uint32_t d = 0; d < dimensions; ++d) x.column.push_back(d);
      x.begin.push_back(x.value.size());
    }
  }
  const LogisticWeights fit = FitLogistic(x, own.rows.size(), kVectorStrength);
  for (const double weight : fit.weight) gate.add_logistic(static_cast<float>(weight));
  gate.set_logistic_bias(static_cast<float>(fit.bias));
}

// Inverse document frequencies in the pool, (1 + ln((1 + N) / (1 + texts with it))), the largest one 1: that of a
// feature which one text of the pool has, or two, or none.
std::vector<float> InverseFrequencies(const GateRows& pool) {
  std::vector<std::uint32_t> texts(classifier::kGateBuckets);
  const SparseRows& x = pool.texts.ngrams;
  for (const std::uint32_t row : pool.rows) {
    for (std::size_t k = x.begin[row]; k < x.begin[row + 1]; ++k) ++texts[x.column[k]];
  }
  const double n = 1 + static_cast<double>(pool.rows.size());
  const double most = 1 + std::log(n / 3);
  std::vector<float> idf;
  for (const std::uint32_t count : texts) {
    idf.push_back(static_cast<float>((1 + std::log(n / (1 + std::max<double>(count, 2)))) / most));
  }
  return idf;
}

void FitNgrams(const GateRows& own, const GateRows& pool, v1::GateNgrams& ngrams) {
  const std::vector<float> idf = InverseFrequencies(pool);
  constexpr std::uint32_t kNone = 0xFFFFFFFF;
  std::vector<std::uint32_t> place(idf.size(), kNone), bucket;  // only the buckets that these texts have
  SparseRows x;
  for (const GateRows* part : {&own, &pool}) {
    const SparseRows& all = part->texts.ngrams;
    for (const std::uint32_t row : part->rows) {
      for (std::size_t k = all.begin[row]; k < all.begin[row + 1]; ++k) {
        const std::uint32_t b = all.column[k];
        if (place[b] == kNone) {
          place[b] = static_cast<std::uint32_t>(bucket.size());
          bucket.push_back(b);
        }
        x.column.push_back(place[b]);
        x.value.push_back(all.value[k] * idf[b]);
      }
      x.begin.push_back(x.value.size());
    }
  }
  x.columns = bucket.size();
  const LogisticWeights fit = FitLogistic(x, own.rows.size(), kNgramStrength);
  double largest = 0;
  for (std::size_t c = 0; c < bucket.size(); ++c) {
    largest = std::max(largest, std::abs(fit.weight[c] * static_cast<double>(idf[bucket[c]])));
  }
  std::string& weights = *ngrams.mutable_weights();
  weights.resize(idf.size(), '\0');
  for (std::size_t c = 0; c < bucket.size() && largest > 0; ++c) {
    const double weight = fit.weight[c] * static_cast<double>(idf[bucket[c]]);
    weights[bucket[c]] = static_cast<char>(static_cast<std::int8_t>(std::lround(weight * 127 / largest)));
  }
  ngrams.set_scale(static_cast<float>(largest / 127));
  ngrams.set_bias(static_cast<float>(fit.bias));
}

void KeepExamples(const GateRows& own, std::size_t dimensions, std::uint64_t seed, v1::GateExamples& examples) {
  std::vector<float> vectors;
  const std::size_t count = std::min(own.rows.size(), classifier::kGateMaxExamples);
  for (const std::uint32_t i : Draw(own.rows.size(), count, seed)) {
    const auto vector = VectorOf(own.texts, own.rows[i], dimensions);
    vectors.insert(vectors.end(), vector.begin(), vector.end());
  }
  const std::vector<std::uint8_t> labels(count);
  v1::Neighbours clustered = std::move(Cluster(vectors, dimensions, labels, seed, kExampleClusters).model);
  examples.mutable_vectors()->swap(*clustered.mutable_vectors());
  examples.mutable_scales()->Swap(clustered.mutable_scales());
  examples.mutable_cluster_begin()->Swap(clustered.mutable_cluster_begin());
  examples.mutable_centroids()->swap(*clustered.mutable_centroids());
  examples.set_probes(clustered.probes());
}

}  // namespace

GateTexts PrepareGateTexts(std::span<const std::string_view> texts, const classifier::StaticEmbedding& embedding) {
  GateTexts prepared;
  prepared.ngrams.columns = classifier::kGateBuckets;
  prepared.vectors.resize(texts.size() * embedding.dimensions());
  std::vector<std::uint32_t> buckets;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    classifier::EmbedText(embedding, texts[i], classifier::kGateMaxBytes,
                          std::span(prepared.vectors).subspan(i * embedding.dimensions(), embedding.dimensions()));
    buckets.clear();
    classifier::StreamFeatures(texts[i], classifier::kGateMaxBytes, [&](const classifier::Feature& feature) {
      buckets.push_back(feature.Row(classifier::kGateBucketBits));
    });
    std::sort(buckets.begin(), buckets.end());
    const float norm = 1 / std::sqrt(static_cast<float>(std::max<std::size_t>(buckets.size(), 1)));
    for (std::size_t k = 0; k < buckets.size(); ++k) {
      if (k == 0 || buckets[k] != buckets[k - 1]) {
        prepared.ngrams.column.push_back(buckets[k]);
        prepared.ngrams.value.push_back(0);
      }
      prepared.ngrams.value.back() += norm;
    }
    prepared.ngrams.begin.push_back(prepared.ngrams.value.size());
  }
  return prepared;
}

void DrawPool(std::vector<std::string_view>& texts, std::uint64_t seed) {
  if (texts.size() <= kMostPoolRows) return;
  std::vector<std::string_view> kept;
  for (const std::uint32_t i : Draw(texts.size(), kMostPoolRows, seed)) kept.push_back(texts[i]);
  texts = std::move(kept);
}

v1::ExpertGate FitGate(const GateRows& own, const GateRows& pool, std::size_t dimensions, std::uint64_t seed) {
  v1::ExpertGate gate;
  gate.set_seed(seed);
  gate.set_dimensions(static_cast<std::uint32_t>(dimensions));
  for (const double value : Phatgoose(own, dimensions)) gate.add_phatgoose(static_cast<float>(value));
  for (const double value : Mean(own, dimensions)) gate.add_average_activation(static_cast<float>(value));
  FitVectors(own, pool, dimensions, gate);
  FitNgrams(own, pool, *gate.mutable_ngrams());
  KeepExamples(own, dimensions, seed, *gate.mutable_examples());
  return gate;
}

}  // namespace pointsman::offline
