// router/offline/gate_figures.h: figures of gates' logits on labelled texts, for `pointsman evaluate gates`.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pointsman/v1/gate.pb.h"
#include "router/classifier/expert_gates.h"
#include "router/offline/evaluate_gates.h"
#include "router/offline/rows.h"

namespace pointsman::offline {

// Texts and their experts. The texts lie in the rows that they are of, which must outlive them.
struct LabelledTexts {
  std::vector<std::string_view> texts;
  std::vector<std::uint32_t> truth;
};
LabelledTexts LabelledTextsOf(const Rows& rows);

// The logits of gates as they would be served, row-major [texts][gates].
std::vector<float> GateLogits(const std::vector<v1::ExpertGate>& gates,
                              const std::shared_ptr<const classifier::StaticEmbedding>& embedding,
                              classifier::GateForm form, const std::vector<std::string_view>& texts);

// 1 for a row whose expert has the largest logit (of equals the lower index), 0 for another. `logits` are row-major
// [truth.size()][experts].
std::vector<std::uint8_t> RightOnes(const std::vector<float>& logits, const std::vector<std::uint32_t>& truth,
                                    std::size_t experts);

// name, top1, top2, and ece of softmax(logits / temperature), a temperature for each row.
GateFormFigures FiguresOfLogits(const char* name, const std::vector<float>& logits,
                                const std::vector<std::uint32_t>& truth, const std::vector<double>& temperature,
                                const std::vector<std::string>& experts);

// behind_joint and behind_joint_se, from RightOnes() of the joint classifier and of the form.
void CompareWithJoint(const std::vector<std::uint8_t>& joint, const std::vector<std::uint8_t>& form,
                      GateFormFigures& figures);

// The times of Logits() over the texts, their mean length and the gates' mean size. At least one text and one gate.
void TimeGates(const std::vector<v1::ExpertGate>& gates,
               const std::shared_ptr<const classifier::StaticEmbedding>& embedding,
               const std::vector<std::string_view>& texts, GatesEvaluation& evaluation);

// The temperature that minimises the mean -ln p(truth) of softmax(logits / temperature). `logits` are row-major
// [truth.size()][experts].
double FitLogitTemperature(const std::vector<float>& logits, const std::vector<std::uint32_t>& truth,
                           std::size_t experts);

}  // namespace pointsman::offline
