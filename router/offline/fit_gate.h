// router/offline/fit_gate.h: one expert's own prompts, and texts that are nobody's -> its gate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "pointsman/v1/gate.pb.h"
#include "router/classifier/static_embedding.h"
#include "router/offline/ridge.h"

namespace pointsman::offline {

inline constexpr std::size_t kLeastGateRows = 8;    // own prompts, and texts of the pool
inline constexpr std::size_t kMostPoolRows = 8000;  // of the pool; more say hardly more and cost time

// Texts as gates learn from them. A pool is prepared once for many gates.
struct GateTexts {
  SparseRows ngrams;           // occurrences of each bucket / sqrt(all occurrences)
  std::vector<float> vectors;  // [text][dimensions], of length 1, or 0 for a text without a known token
  std::size_t size() const { return ngrams.rows(); }
};

GateTexts PrepareGateTexts(std::span<const std::string_view> texts, const classifier::StaticEmbedding& embedding);

// Keeps kMostPoolRows of the texts, drawn by `seed`, in their order.
void DrawPool(std::vector<std::string_view>& texts, std::uint64_t seed);

// Some of the texts.
struct GateRows {
  const GateTexts& texts;
  std::span<const std::uint32_t> rows;
};

// Fits every form of gate (expert_gates.h). Fills in all but version, maker, sources, expert, embedding and report.
// `own` and `pool` have at least 2 rows. Reads nothing of other experts. Equal input gives equal bytes. One thread,
// about a second.
//
// - phatgoose (arXiv 2402.05859, figure 2, left): from zero, 100 steps of Adam with learning rate 0.005. The paper
// trains on
//   the expert's loss, through the model; ours on -ln sigmoid(v . u), because an expert may be behind an interface.
// - average_activation: the mean of the vectors (a baseline of that paper).
// - logistic: strength 0.1; n-grams: strength 10, idf from the pool alone, so that it says how rare a feature is in
//   general and not in the expert's field. Both chosen by cross-validation on training rows.
v1::ExpertGate FitGate(const GateRows& own, const GateRows& pool, std::size_t dimensions, std::uint64_t seed);

}  // namespace pointsman::offline
