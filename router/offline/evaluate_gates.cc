#include "router/offline/evaluate_gates.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <span>
#include <unordered_set>
#include <utility>

#include "router/classifier/ensemble.h"
#include "router/classifier/gate_file.h"
#include "router/offline/fit_classifier.h"
#include "router/offline/fit_gate.h"
#include "router/offline/format.h"
#include "router/offline/gate_figures.h"

namespace pointsman::offline {
namespace {

using classifier::GateForm;
using Clock = std::chrono::steady_clock;

constexpr double kHeldOut = 0.2;  // share of the training rows that fit the temperatures

double SecondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// What every gate of an evaluation is fitted from.
struct Material {
  const LabelledTexts& rows;
  const GateTexts& row_texts;
  const std::vector<std::string_view>& pool;
  const GateTexts& pool_texts;
  std::size_t dimensions;
  std::uint64_t seed;
};

// The gate of one expert, from those of its rows that `kept` says.
template <class Kept>
v1::ExpertGate FitOne(const Material& material, std::uint32_t expert, Kept&& kept) {
  std::vector<std::uint32_t> own, pool;
  std::unordered_set<std::string_view> own_texts;
  for (std::uint32_t i = 0; i < material.rows.truth.size(); ++i) {
    if (material.rows.truth[i] != expert || !kept(material.rows.texts[i])) continue;
    own.push_back(i);
    own_texts.insert(material.rows.texts[i]);
  }
  for (std::uint32_t i = 0; i < material.pool.size(); ++i) {
    if (!own_texts.contains(material.pool[i])) pool.push_back(i);
  }
  const GateRows own_part{material.row_texts, own}, pool_part{material.pool_texts, pool};
  return FitGate(own_part, pool_part, material.dimensions, material.seed);
}

Result<void> CheckLabels(const Rows& rows, const std::vector<std::string_view>& pool) {
  if (rows.labels.size() < 2) return InvalidArgument("rows", "the training rows have fewer than two labels (--label)");
  std::vector<std::size_t> count(rows.labels.size()), kept(rows.labels.size());
  for (const Row& row : rows.rows) {
    ++count[row.label];
    if (!HeldOut(row.text, kHeldOut)) ++kept[row.label];
  }
  for (std::size_t e = 0; e < count.size(); ++e) {
    if (count[e] < kLeastGateRows || kept[e] < 2) {
      return InvalidArgument("rows", Format("label \"%s\" has %zu rows: too few for a gate (--drop leaves it out)",
                                            rows.labels[e].c_str(), count[e]));
    }
  }
  if (pool.size() < kLeastGateRows) {
    return InvalidArgument("pool", Format("the pool has %zu texts: too few for a gate (--pool)", pool.size()));
  }
  return {};
}

Result<std::vector<std::uint8_t>> MeasureJoint(const LabelledTexts& train, const LabelledTexts& test,
                                               const EvaluateTrainedGatesOptions& options,
                                               GatesEvaluation& evaluation) {
  std::vector<Example> examples;
  for (std::size_t i = 0; i < train.texts.size(); ++i) examples.push_back({train.texts[i], train.truth[i]});
  ClassifierOptions fit;
  fit.embedding = options.embedding;
  fit.linear.seed = options.seed;
  const Clock::time_point start = Clock::now();
  const auto joint = FitClassifier(examples, evaluation.experts, fit, [&](double share) {
    if (options.progress) options.progress("joint classifier", share);
  });
  if (!joint) return joint.error();
  evaluation.joint_seconds = SecondsSince(start);
  const auto served = Served(joint->artifact);
  std::vector<float> probabilities;
  for (const std::string_view text : test.texts) {
    const policies::Evidence evidence = served->Classify(text);
    for (const float p : evidence.probabilities) probabilities.push_back(std::log(std::max(p, 1e-30F)));
  }
  const std::size_t experts = evaluation.experts.size();
  evaluation.joint = FiguresOfLogits("joint", probabilities, test.truth, std::vector<double>(test.truth.size(), 1.0),
                                     evaluation.experts);
  return RightOnes(probabilities, test.truth, experts);
}

}  // namespace

Result<GatesEvaluation> EvaluateTrainedGates(const EvaluateTrainedGatesOptions& options) {
  if (options.embedding == nullptr) {
    return InvalidArgument("embedding",
                           "gates need token vectors (--embedding is none, or the shipped classifier is missing)");
  }
  const auto progress = [&](const char* stage, double share) {
    if (options.progress) options.progress(stage, share);
  };
  const auto reading = [&](double share) { progress("reading", share); };
  const auto rows = ReadRows(options.rows, reading);
  if (!rows) return rows.error();
  RowOptions test_options = options.test;
  test_options.known_labels = {rows->labels.begin(), rows->labels.end()};
  auto test_rows = ReadRows(test_options, reading);
  if (!test_rows) return test_rows.error();
  if (test_rows->rows.empty()) return InvalidArgument("test", "there are no test rows (--test, --test-h)");
  const auto pool_rows = ReadRows(options.pool, reading);
  if (!pool_rows) return pool_rows.error();
  const LabelledTexts train = LabelledTextsOf(*rows);
  LabelledTexts test = LabelledTextsOf(*test_rows);
  for (std::uint32_t& label : test.truth) {  // from the test rows' labels to those of training
    const auto found = std::lower_bound(rows->labels.begin(), rows->labels.end(), test_rows->labels[label]);
    label = static_cast<std::uint32_t>(found - rows->labels.begin());
  }
  const std::unordered_set<std::string_view> test_texts(test.texts.begin(), test.texts.end());
  std::vector<std::string_view> pool;
  for (const Row& row : pool_rows->rows) {
    if (!test_texts.contains(row.text)) pool.push_back(row.text);
  }
  DrawPool(pool, options.seed);
  if (auto checked = CheckLabels(*rows, pool); !checked) return checked.error();

  GatesEvaluation evaluation;
  evaluation.experts = rows->labels;
  evaluation.rows = train.texts.size();
  evaluation.pool_rows = pool.size();
  evaluation.test_rows = test.texts.size();
  evaluation.bad = rows->bad + test_rows->bad + pool_rows->bad;
  const auto embedding = std::make_shared<const classifier::StaticEmbedding>(*options.embedding);
  const Clock::time_point pool_start = Clock::now();
  const GateTexts pool_texts = PrepareGateTexts(pool, *embedding);
  evaluation.pool_seconds = SecondsSince(pool_start);
  const Clock::time_point rows_start = Clock::now();
  const GateTexts row_texts = PrepareGateTexts(train.texts, *embedding);
  const double seconds_a_text = SecondsSince(rows_start) / static_cast<double>(train.texts.size());
  const Material material{train, row_texts, pool, pool_texts, embedding->dimensions(), options.seed};

  const std::size_t experts = evaluation.experts.size();
  LabelledTexts held;  // the rows that fit the temperatures
  for (std::size_t i = 0; i < train.texts.size(); ++i) {
    if (!HeldOut(train.texts[i], kHeldOut)) continue;
    held.texts.push_back(train.texts[i]);
    held.truth.push_back(train.truth[i]);
  }
  std::vector<v1::ExpertGate> gates, without_held;
  std::vector<double> seconds;
  for (std::uint32_t e = 0; e < experts; ++e) {
    progress("gates", static_cast<double>(e) / static_cast<double>(experts));
    without_held.push_back(FitOne(material, e, [](std::string_view text) { return !HeldOut(text, kHeldOut); }));
    const Clock::time_point start = Clock::now();
    gates.push_back(FitOne(material, e, [](std::string_view) { return true; }));
    const auto own = static_cast<double>(std::count(train.truth.begin(), train.truth.end(), e));
    seconds.push_back(SecondsSince(start) + own * seconds_a_text);
  }
  std::sort(seconds.begin(), seconds.end());
  evaluation.add_seconds = seconds[experts / 2];

  const auto joint = MeasureJoint(train, test, options, evaluation);
  if (!joint) return joint.error();
  for (const GateForm form : classifier::kGateForms) {
    const double temperature =
        FitLogitTemperature(GateLogits(without_held, embedding, form, held.texts), held.truth, experts);
    const std::vector<float> logits = GateLogits(gates, embedding, form, test.texts);
    GateFormFigures figures = FiguresOfLogits(classifier::Name(form), logits, test.truth,
                                              std::vector<double>(test.truth.size(), temperature), evaluation.experts);
    figures.temperature = temperature;
    CompareWithJoint(*joint, RightOnes(logits, test.truth, experts), figures);
    evaluation.forms.push_back(std::move(figures));
  }
  const double p = evaluation.forms.front().top1;
  evaluation.standard_error = std::sqrt(p * (1 - p) / static_cast<double>(test.texts.size()));
  TimeGates(gates, embedding, test.texts, evaluation);
  return evaluation;
}

}  // namespace pointsman::offline
