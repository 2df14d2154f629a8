#include "router/offline/evaluate_gates.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <span>
#include <unordered_set>
#include <utility>

#include "router/classifier/artifact.h"
#include "router/classifier/gate_file.h"
#include "router/classifier/gate_routing.h"
#include "router/offline/fit_classifier.h"
#include "router/offline/fit_gate.h"
#include "router/offline/format.h"

namespace pointsman::offline {
namespace {

using classifier::GateForm;
using Clock = std::chrono::steady_clock;

constexpr double kHeldOut = 0.2;  // share of the training rows that fit the temperatures

double SecondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Texts and their experts.
struct Labelled {
  std::vector<std::string_view> texts;
  std::vector<std::uint32_t> truth;
};

Labelled Of(const Rows& rows) {
  Labelled labelled;
  for (const Row& row : rows.rows) {
    labelled.texts.push_back(row.text);
    labelled.truth.push_back(row.label);
  }
  return labelled;
}

std::vector<float> LogitsOf(const std::vector<v1::ExpertGate>& gates,
                            const std::shared_ptr<const classifier::StaticEmbedding>& embedding, GateForm form,
                            const std::vector<std::string_view>& texts) {
  const classifier::ExpertGates served(gates, embedding, form);
  std::vector<float> logits(texts.size() * gates.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    served.Logits(texts[i], std::span(logits).subspan(i * gates.size(), gates.size()));
  }
  return logits;
}

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

std::vector<std::uint8_t> RightOnes(const std::vector<float>& logits, const std::vector<std::uint32_t>& truth,
                                    std::size_t experts) {
  std::vector<std::uint8_t> right;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    right.push_back(Rank(std::span(logits).subspan(i * experts, experts), truth[i]) == 0 ? 1 : 0);
  }
  return right;
}

// All but what needs the joint classifier.
GateFormFigures FiguresOf(const char* name, const std::vector<float>& logits, const std::vector<std::uint32_t>& truth,
                          const std::vector<double>& temperature, const std::vector<std::string>& experts) {
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

void Compare(const std::vector<std::uint8_t>& joint, const std::vector<std::uint8_t>& other, GateFormFigures& figures) {
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

void Time(const std::vector<v1::ExpertGate>& gates, const std::shared_ptr<const classifier::StaticEmbedding>& embedding,
          const std::vector<std::string_view>& texts, GatesEvaluation& evaluation) {
  const classifier::ExpertGates served(gates, embedding, GateForm::kEnsemble);
  std::vector<float> logits(gates.size());
  std::vector<double> microseconds;
  double bytes = 0;
  for (const std::string_view text : texts) {
    const Clock::time_point start = Clock::now();
    served.Logits(text, logits);
    microseconds.push_back(1e6 * SecondsSince(start));
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

// What every gate of an evaluation is fitted from.
struct Material {
  const Labelled& rows;
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

Result<std::vector<std::uint8_t>> MeasureJoint(const Labelled& train, const Labelled& test,
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
  evaluation.joint =
      FiguresOf("joint", probabilities, test.truth, std::vector<double>(test.truth.size(), 1.0), evaluation.experts);
  return RightOnes(probabilities, test.truth, experts);
}

}  // namespace

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
  const Labelled train = Of(*rows);
  Labelled test = Of(*test_rows);
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
  Labelled held;  // the rows that fit the temperatures
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
        FitLogitTemperature(LogitsOf(without_held, embedding, form, held.texts), held.truth, experts);
    const std::vector<float> logits = LogitsOf(gates, embedding, form, test.texts);
    GateFormFigures figures = FiguresOf(classifier::Name(form), logits, test.truth,
                                        std::vector<double>(test.truth.size(), temperature), evaluation.experts);
    figures.temperature = temperature;
    Compare(*joint, RightOnes(logits, test.truth, experts), figures);
    evaluation.forms.push_back(std::move(figures));
  }
  const double p = evaluation.forms.front().top1;
  evaluation.standard_error = std::sqrt(p * (1 - p) / static_cast<double>(test.texts.size()));
  Time(gates, embedding, test.texts, evaluation);
  return evaluation;
}

Result<GatesEvaluation> EvaluateGateFiles(const EvaluateGateFilesOptions& options) {
  auto read = classifier::ReadParts(options.classifier);
  if (!read) return std::move(read).error();
  if (!read->artifact.has_embedding()) {
    return InvalidArgument("embedding", options.classifier.string() + ": it has no token vectors, which gates need");
  }
  std::vector<v1::ExpertGate> gates;
  std::vector<classifier::GateFile> files;
  GatesEvaluation evaluation;
  for (const std::filesystem::path& file : options.gates) {
    auto gate = classifier::ReadGate(file);
    if (!gate) return std::move(gate).error();
    files.push_back({gate->expert(), file});
    gates.push_back(*std::move(gate));
  }
  // In the order of the names, as the rows' labels are.
  std::vector<std::size_t> order(gates.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return files[a].expert < files[b].expert; });
  std::vector<v1::ExpertGate> sorted;
  for (const std::size_t i : order) {
    if (!evaluation.experts.empty() && evaluation.experts.back() == files[i].expert) {
      return classifier::BadGate(files[i].file, "another file is a gate of \"" + files[i].expert + "\", too");
    }
    evaluation.experts.push_back(files[i].expert);
    sorted.push_back(std::move(gates[i]));
  }
  if (sorted.size() < 2) return InvalidArgument("gates", "one gate has nobody to be told from: name two or more");
  // For the same checks, and the same errors, as when the router loads them.
  if (auto loaded = classifier::ExpertGates::Load(files, options.classifier, GateForm::kLogistic); !loaded) {
    return std::move(loaded).error();
  }
  RowOptions row_options = options.rows;
  row_options.known_labels = {evaluation.experts.begin(), evaluation.experts.end()};
  const auto rows = ReadRows(row_options, [&](double share) {
    if (options.progress) options.progress("reading", share);
  });
  if (!rows) return rows.error();
  if (rows->rows.empty()) return InvalidArgument("rows", "there are no rows (--rows, --h)");
  Labelled labelled = Of(*rows);
  for (std::uint32_t& label : labelled.truth) {
    const auto found = std::lower_bound(evaluation.experts.begin(), evaluation.experts.end(), rows->labels[label]);
    label = static_cast<std::uint32_t>(found - evaluation.experts.begin());
  }
  evaluation.test_rows = labelled.texts.size();
  evaluation.bad = rows->bad;
  const auto embedding = std::make_shared<const classifier::StaticEmbedding>(read->artifact.embedding());
  const std::size_t experts = sorted.size();
  for (const GateForm form : classifier::kGateForms) {
    const std::vector<float> logits = LogitsOf(sorted, embedding, form, labelled.texts);
    std::vector<float> halves[2];
    std::vector<std::uint32_t> truths[2];
    for (std::size_t i = 0; i < labelled.texts.size(); ++i) {
      const std::size_t half = HeldOut(labelled.texts[i], 0.5) ? 1 : 0;
      const auto row = logits.begin() + static_cast<std::ptrdiff_t>(i * experts);
      halves[half].insert(halves[half].end(), row, row + static_cast<std::ptrdiff_t>(experts));
      truths[half].push_back(labelled.truth[i]);
    }
    const double of_half[2] = {FitLogitTemperature(halves[0], truths[0], experts),
                               FitLogitTemperature(halves[1], truths[1], experts)};
    std::vector<double> temperature;
    for (const std::string_view text : labelled.texts) temperature.push_back(of_half[HeldOut(text, 0.5) ? 0 : 1]);
    GateFormFigures figures =
        FiguresOf(classifier::Name(form), logits, labelled.truth, temperature, evaluation.experts);
    figures.temperature = FitLogitTemperature(logits, labelled.truth, experts);
    evaluation.forms.push_back(std::move(figures));
  }
  const double p = evaluation.forms.front().top1;
  evaluation.standard_error = std::sqrt(p * (1 - p) / static_cast<double>(labelled.texts.size()));
  Time(sorted, embedding, labelled.texts, evaluation);
  return evaluation;
}

}  // namespace pointsman::offline
