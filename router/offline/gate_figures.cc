#include "router/offline/gate_figures.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <span>

#include "router/classifier/gate_routing.h"
#include "router/offline/metrics.h"

namespace pointsman::offline {
namespace {

using classifier::GateForm;
using Clock = std::chrono::steady_clock;

// How many experts have a larger logit than the true one; of equals the lower index is the larger one.
std::size_t Rank(std::span<const float> logits, std::uint32_t truth) {
  std::size_t rank = 0;
  for (std::size_t e = 0; e < logits.size(); ++e) {
    if (logits[e] > logits[truth] || (logits[e] == logits[truth] && e < truth)) ++rank;
  }
  return rank;
}

Prediction Calibrated(std::span<const float> logits, std::uint32_t truth, double temperature) {
  Prediction prediction{truth, {logits.begin(), logits.end()}, 0};
  classifier::Softmax(prediction.probabilities, temperature);
  return prediction;
}

}  // namespace

LabelledTexts LabelledTextsOf(const Rows& rows) {
  LabelledTexts labelled;
  for (const Row& row : rows.rows) {
    labelled.texts.push_back(row.text);
    labelled.truth.push_back(row.label);
  }
  return labelled;
}

std::vector<float> GateLogits(const std::vector<v1::ExpertGate>& gates,
                              const std::shared_ptr<const classifier::StaticEmbedding>& embedding, GateForm form,
                              const std::vector<std::string_view>& texts) {
  const classifier::ExpertGates served(gates, embedding, form);
  std::vector<float> logits(texts.size() * gates.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    served.Logits(texts[i], std::span(logits).subspan(i * gates.size(), gates.size()));
  }
  return logits;
}

std::vector<std::uint8_t> RightOnes(const std::vector<float>& logits, const std::vector<std::uint32_t>& truth,
                                    std::size_t experts) {
  std::vector<std::uint8_t> right;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    right.push_back(Rank(std::span(logits).subspan(i * experts, experts), truth[i]) == 0 ? 1 : 0);
  }
  return right;
}

GateFormFigures FiguresOfLogits(const char* name, const std::vector<float>& logits,
                                const std::vector<std::uint32_t>& truth, const std::vector<double>& temperature,
                                const std::vector<std::string>& experts) {
  GateFormFigures figures;
  figures.name = name;
  std::vector<Prediction> predictions;
  std::size_t first = 0, second = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const auto row = std::span(logits).subspan(i * experts.size(), experts.size());
    const std::size_t rank = Rank(row, truth[i]);
    first += rank == 0 ? 1 : 0;
    second += rank <= 1 ? 1 : 0;
    predictions.push_back(Calibrated(row, truth[i], temperature[i]));
  }
  const auto n = static_cast<double>(truth.size());
  figures.top1 = static_cast<double>(first) / n;
  figures.top2 = static_cast<double>(second) / n;
  figures.ece = Measure(predictions, experts).ece;
  return figures;
}

void CompareWithJoint(const std::vector<std::uint8_t>& joint, const std::vector<std::uint8_t>& other,
                      GateFormFigures& figures) {
  const auto n = static_cast<double>(joint.size());
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < joint.size(); ++i) {
    const double off = static_cast<double>(joint[i]) - other[i];
    sum += off;
    squares += off * off;
  }
  figures.behind_joint = sum / n;
  figures.behind_joint_se = std::sqrt(squares - sum * sum / n) / n;
}

void TimeGates(const std::vector<v1::ExpertGate>& gates,
               const std::shared_ptr<const classifier::StaticEmbedding>& embedding,
               const std::vector<std::string_view>& texts, GatesEvaluation& evaluation) {
  const classifier::ExpertGates served(gates, embedding, GateForm::kEnsemble);
  std::vector<float> logits(gates.size());
  std::vector<double> microseconds;
  double bytes = 0;
  for (const std::string_view text : texts) {
    const Clock::time_point start = Clock::now();
    served.Logits(text, logits);
    microseconds.push_back(1e6 * std::chrono::duration<double>(Clock::now() - start).count());
    bytes += static_cast<double>(text.size());
  }
  std::sort(microseconds.begin(), microseconds.end());
  evaluation.microseconds_p50 = microseconds[microseconds.size() / 2];
  evaluation.microseconds_p99 = microseconds[microseconds.size() * 99 / 100];
  evaluation.mean_bytes = bytes / static_cast<double>(texts.size());
  for (const v1::ExpertGate& gate : gates) {
    evaluation.gate_bytes += static_cast<double>(gate.ByteSizeLong()) / static_cast<double>(gates.size());
  }
}

double FitLogitTemperature(const std::vector<float>& logits, const std::vector<std::uint32_t>& truth,
                           std::size_t experts) {
  // FitTemperature searches from a fifth to ten times the temperature that it is given; logits may be further off.
  constexpr int kRounds = 8;
  double temperature = 1;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<Prediction> predictions;
    for (std::size_t i = 0; i < truth.size(); ++i) {
      predictions.push_back(Calibrated(std::span(logits).subspan(i * experts, experts), truth[i], temperature));
    }
    const double factor = FitTemperature(predictions);
    temperature *= factor;
    if (factor > 0.9 && factor < 1.1) break;
  }
  return temperature;
}

}  // namespace pointsman::offline
