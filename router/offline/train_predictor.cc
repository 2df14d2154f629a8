#include "router/offline/train_predictor.h"

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <cmath>

#include "router/classifier/predictor.h"
#include "router/offline/format.h"
#include "router/version.h"

namespace pointsman::offline {
namespace {

namespace json = boost::json;

double Correlation(const std::vector<ScoredRow>& rows, const std::vector<float>& predictions, std::size_t expert) {
  const std::size_t m = rows.front().scores.size();
  const auto n = static_cast<double>(rows.size());
  double mean_p = 0, mean_y = 0;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    mean_p += predictions[r * m + expert] / n;
    mean_y += rows[r].scores[expert] / n;
  }
  double pp = 0, yy = 0, py = 0;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const double p = predictions[r * m + expert] - mean_p, y = rows[r].scores[expert] - mean_y;
    pp += p * p;
    yy += y * y;
    py += p * y;
  }
  return pp > 0 && yy > 0 ? py / std::sqrt(pp * yy) : 0;
}

void Measure(const std::vector<ScoredRow>& rows, const std::vector<std::string>& names,
             const std::vector<float>& predictions, TrainPredictorReport& report) {
  const std::size_t m = names.size();
  const auto n = static_cast<double>(rows.size());
  for (std::size_t e = 0; e < m; ++e) {
    PredictedExpert expert{names[e], 0, Correlation(rows, predictions, e)};
    for (const ScoredRow& row : rows) expert.quality += row.scores[e] / n;
    report.experts.push_back(std::move(expert));
    if (report.experts[e].quality > report.experts[report.best].quality) report.best = e;
  }
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const float* row = &predictions[r * m];
    report.predicted_best += rows[r].scores[static_cast<std::size_t>(std::max_element(row, row + m) - row)] / n;
    report.oracle += *std::max_element(rows[r].scores.begin(), rows[r].scores.end()) / n;
  }
}

v1::PredictorArtifact MakeArtifact(const TrainPredictorOptions& options, const TrainPredictorReport& report,
                                   v1::Predictor model) {
  v1::PredictorArtifact artifact;
  artifact.set_version(classifier::kPredictorVersion);
  artifact.set_created_by(std::string("pointsman ") + kVersion);
  v1::Source& source = *artifact.add_sources();
  source.set_name(options.source);
  source.set_licence(options.licence.empty() ? "NOASSERTION" : options.licence);
  source.set_rows(static_cast<std::uint32_t>(report.rows));
  *artifact.mutable_predictor() = std::move(model);
  v1::PredictorReport& figures = *artifact.mutable_report();
  figures.set_rows(static_cast<std::uint32_t>(report.rows));
  figures.set_best_single(report.experts[report.best].quality);
  figures.set_best_single_expert(report.experts[report.best].name);
  figures.set_predicted_best(report.predicted_best);
  figures.set_oracle(report.oracle);
  for (const PredictedExpert& expert : report.experts) figures.add_correlation(expert.correlation);
  return artifact;
}

}  // namespace

Result<TrainPredictorReport> TrainPredictor(const TrainPredictorOptions& options) {
  std::vector<std::string> names = options.experts;
  if (names.empty()) {
    auto found = ScoredNames(options.rows.front());
    if (!found) return std::move(found).error();
    names = *std::move(found);
  }
  ScoredOptions read{options.rows, {}, options.text_field, options.label_field, options.range};
  for (const std::string& name : names) read.columns.push_back({name, {name}});
  auto rows = ReadScoredRows(read);
  if (!rows) return std::move(rows).error();

  const auto start = std::chrono::steady_clock::now();
  auto fit = FitPredictor(rows->rows, names, options.fit, options.progress);
  if (!fit) return std::move(fit).error();
  TrainPredictorReport report;
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  report.rows = rows->rows.size();
  report.contaminated = rows->contaminated;
  report.stack = std::move(fit->stack);
  Measure(rows->rows, names, fit->cross_fitted, report);

  const v1::PredictorArtifact artifact = MakeArtifact(options, report, std::move(fit->model));
  if (const std::string flaw = classifier::Flaw(artifact.predictor()); !flaw.empty()) {
    return Internal("the fitted predictor cannot be served: " + flaw);
  }
  auto written = classifier::WritePredictor(options.out, artifact);
  if (!written) return std::move(written).error();
  report.out = options.out;
  report.checksum = *std::move(written);
  report.artifact_bytes = std::filesystem::file_size(options.out);
  return report;
}

std::string ReportJson(const TrainPredictorReport& r) {
  json::array experts, stack;
  for (const PredictedExpert& expert : r.experts) {
    experts.push_back({{"name", expert.name}, {"quality", expert.quality}, {"correlation", expert.correlation}});
  }
  for (const StackWeight& weight : r.stack) {
    stack.push_back({{"regression", weight.name}, {"in_mean", weight.in_mean}, {"in_deviation", weight.in_deviation}});
  }
  const json::object report = {{"rows", r.rows},
                               {"contaminated", r.contaminated},
                               {"best_single", r.experts[r.best].name},
                               {"best_single_quality", r.experts[r.best].quality},
                               {"predicted_best_quality", r.predicted_best},
                               {"oracle_quality", r.oracle},
                               {"experts", experts},
                               {"stack", stack},
                               {"seconds", r.seconds},
                               {"artifact", r.out.string()},
                               {"artifact_bytes", r.artifact_bytes},
                               {"checksum", r.checksum}};
  return json::serialize(report);
}

std::string ReportText(const TrainPredictorReport& r) {
  std::string text;
  text += Format("%s: %zu rows, %zu experts, %.1f s, %.1f MB\n", r.out.c_str(), r.rows, r.experts.size(), r.seconds,
                 static_cast<double>(r.artifact_bytes) / 1e6);
  if (r.contaminated > 0) {
    text += Format("left out as contaminated: %llu rows\n", static_cast<unsigned long long>(r.contaminated));
  }
  text += Format("\nEach row predicted by fits without it (5 folds):\n");
  text += Format("  %-40s %.4f\n", ("best single expert (" + r.experts[r.best].name + ")").c_str(),
                 r.experts[r.best].quality);
  text += Format("  %-40s %.4f\n", "each row's predicted best", r.predicted_best);
  text += Format("  %-40s %.4f\n\n", "oracle: each row's best", r.oracle);
  text += Format("%-40s %8s %12s\n", "expert", "quality", "correlation");
  for (const PredictedExpert& e : r.experts)
    text += Format("%-40s %8.4f %12.4f\n", e.name.c_str(), e.quality, e.correlation);
  text += Format("\nchecksum %s\n", r.checksum.c_str());
  return text;
}

}  // namespace pointsman::offline
