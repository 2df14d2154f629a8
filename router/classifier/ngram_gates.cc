#include "router/classifier/ngram_gates.h"

#include <array>
#include <cmath>
#include <cstring>

#include "router/classifier/features.h"
#include "router/classifier/gate_file.h"

namespace pointsman::classifier {
namespace {

// Rows are looked up a batch at a time, so that their cache misses overlap. 127 * 256 fits 16 bits.
constexpr std::size_t kBatch = 256;

}  // namespace

NgramGates::NgramGates(std::span<const v1::ExpertGate> gates)
    : blocks_((gates.size() + kLanes - 1) / kLanes), table_(kGateBuckets * blocks_) {
  for (std::size_t e = 0; e < gates.size(); ++e) {
    const v1::GateNgrams& ngrams = gates[e].ngrams();
    for (std::size_t bucket = 0; bucket < kGateBuckets; ++bucket) {
      table_[bucket * blocks_ + e / kLanes].value[e % kLanes] = static_cast<std::int8_t>(ngrams.weights()[bucket]);
    }
    scales_.push_back(ngrams.scale());
    bias_.push_back(ngrams.bias());
  }
}

// Adds `count` rows, at most kBatch, to the sums, a batch of them in 16 bits. Vector types of the compiler (gcc,
// clang), for every machine.
#if defined(__x86_64__)
__attribute__((target_clones("avx2", "default")))
#endif
void NgramGates::AddRows(const Lanes* table, std::size_t blocks, const std::uint32_t* rows, std::size_t count,
                         std::int32_t* sums) {
  constexpr std::size_t kWide = 16;
  using Bytes [[gnu::vector_size(kWide)]] = std::int8_t;
  using Shorts [[gnu::vector_size(2 * kWide)]] = std::int16_t;
  for (std::size_t block = 0; block < blocks; ++block) {
    Shorts low{}, high{};
    for (std::size_t i = 0; i < count; ++i) {
      const std::int8_t* const row = table[rows[i] * blocks + block].value;
      Bytes a, b;
      std::memcpy(&a, row, kWide);
      std::memcpy(&b, row + kWide, kWide);
      low += __builtin_convertvector(a, Shorts);
      high += __builtin_convertvector(b, Shorts);
    }
    std::int32_t* const sum = sums + block * kLanes;
    for (std::size_t j = 0; j < kWide; ++j) {
      sum[j] += low[j];
      sum[kWide + j] += high[j];
    }
  }
}

void NgramGates::Logits(std::string_view text, std::span<float> logits) const {
  thread_local std::vector<std::int32_t> sums;
  sums.assign(blocks_ * kLanes, 0);
  std::array<std::uint32_t, kBatch> batch;
  std::size_t waiting = 0, occurrences = 0;
  const auto flush = [&] {
    AddRows(table_.data(), blocks_, batch.data(), waiting, sums.data());
    occurrences += waiting;
    waiting = 0;
  };
  StreamFeatures(text, kGateMaxBytes, [&](const Feature& feature) {
    const std::uint32_t row = feature.Row(kGateBucketBits);
    __builtin_prefetch(&table_[row * blocks_]);
    batch[waiting] = row;
    if (++waiting == kBatch) flush();
  });
  flush();
  const float norm = occurrences == 0 ? 0 : 1 / std::sqrt(static_cast<float>(occurrences));
  for (std::size_t e = 0; e < size(); ++e) logits[e] = static_cast<float>(sums[e]) * norm * scales_[e] + bias_[e];
}

}  // namespace pointsman::classifier
