#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <utility>

#include "router/classifier/artifact.h"
#include "router/classifier/gate_file.h"
#include "router/offline/evaluate_gates.h"
#include "router/offline/fit_classifier.h"
#include "router/offline/gate_figures.h"

namespace pointsman::offline {

using classifier::GateForm;

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
  LabelledTexts labelled = LabelledTextsOf(*rows);
  for (std::uint32_t& label : labelled.truth) {
    const auto found = std::lower_bound(evaluation.experts.begin(), evaluation.experts.end(), rows->labels[label]);
    label = static_cast<std::uint32_t>(found - evaluation.experts.begin());
  }
  evaluation.test_rows = labelled.texts.size();
  evaluation.bad = rows->bad;
  const auto embedding = std::make_shared<const classifier::StaticEmbedding>(read->artifact.embedding());
  const std::size_t experts = sorted.size();
  for (const GateForm form : classifier::kGateForms) {
    const std::vector<float> logits = GateLogits(sorted, embedding, form, labelled.texts);
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
        FiguresOfLogits(classifier::Name(form), logits, labelled.truth, temperature, evaluation.experts);
    figures.temperature = FitLogitTemperature(logits, labelled.truth, experts);
    evaluation.forms.push_back(std::move(figures));
  }
  const double p = evaluation.forms.front().top1;
  evaluation.standard_error = std::sqrt(p * (1 - p) / static_cast<double>(labelled.texts.size()));
  TimeGates(sorted, embedding, labelled.texts, evaluation);
  return evaluation;
}

}  // namespace pointsman::offline
