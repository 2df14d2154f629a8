// router/classifier/ngram_gates.h: the n-gram tables of many gates, read at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "pointsman/v1/gate.pb.h"

namespace pointsman::classifier {

// Immutable; any thread.
class NgramGates {
 public:
  // The gates have no Flaw().
  explicit NgramGates(std::span<const v1::ExpertGate> gates);

  std::size_t size() const { return scales_.size(); }

  // logits[e] = scale_e * (sum of gate e's weights over all occurrences of features) / sqrt(occurrences) + bias_e; of a
  // text without a feature the bias. size() values. The sums are of integers, a lane for each gate: a gate's value does
  // not depend on the others.
  void Logits(std::string_view text, std::span<float> logits) const;

 private:
  static constexpr std::size_t kLanes = 32;
  struct alignas(kLanes) Lanes {
    std::int8_t value[kLanes];
  };
  static void AddRows(const Lanes* table, std::size_t blocks, const std::uint32_t* rows, std::size_t count,
                      std::int32_t* sums);

  std::size_t blocks_;        // of kLanes gates
  std::vector<Lanes> table_;  // [bucket][block]
  std::vector<float> scales_, bias_;
};

}  // namespace pointsman::classifier
