#include "router/offline/train_classifier.h"

#include <algorithm>
#include <cmath>

#include "router/classifier/artifact.h"
#include "router/classifier/features.h"
#include "router/classifier/linear.h"
#include "router/offline/fit_classifier.h"
#include "router/version.h"

namespace pointsman::offline {
namespace {

Result<void> Check(const TrainOptions& o) {
  if (!(o.holdout > 0 && o.holdout <= 0.5)) return InvalidArgument("holdout", "--holdout is not over 0 and up to 0.5");
  if (!(o.coverage > 0 && o.coverage <= 1)) return InvalidArgument("coverage", "--coverage is not over 0 and up to 1");
  if (!(o.fit.dropout >= 0 && o.fit.dropout < 1)) return InvalidArgument("dropout", "--dropout is not in [0, 1)");
  if (!(o.fit.learning_rate > 0 && o.fit.last_learning_rate > 0)) {
    return InvalidArgument("learning_rate", "a learning rate is not positive");
  }
  if (!(o.fit.balance >= 0 && o.fit.balance <= 1)) return InvalidArgument("balance", "--balance is not in [0, 1]");
  if (o.fit.epochs == 0 || o.fit.epochs > 1000) return InvalidArgument("epochs", "--epochs is not 1 to 1000");
  if (o.fit.bucket_bits < 8 || o.fit.bucket_bits > 22)
    return InvalidArgument("bucket_bits", "--bucket-bits is not 8 to 22");
  if (o.fit.max_bytes < 64 || o.fit.max_bytes > classifier::kMaxTextBytes) {
    return InvalidArgument("max_bytes", "--max-bytes is not 64 to 16384");
  }
  if (o.out.empty()) return InvalidArgument("out", "no output file (--out FILE)");
  return {};
}

std::vector<Prediction> Predict(const v1::LinearClassifier& model, std::span<const Example> examples) {
  const classifier::LinearModel served(model, "", std::nullopt);
  std::vector<Prediction> predictions;
  for (const Example& example : examples) {
    policies::Evidence evidence = served.Classify(example.text);
    predictions.push_back({example.label, std::move(evidence.probabilities), evidence.entropy});
  }
  return predictions;
}

// Fits without the held-out rows and measures on them; the calibration goes into the report.
void MeasureHeldOut(const TrainOptions& options, std::span<const Example> fitted, std::span<const Example> held_out,
                    const std::function<void(double)>& progress, TrainReport& report) {
  v1::LinearClassifier model = FitSoftmax(fitted, report.categories, options.fit, progress);
  const std::vector<Prediction> raw = Predict(model, held_out);
  report.ece_uncalibrated = Measure(raw, report.categories).ece;
  report.temperature = FitTemperature(raw);
  model.set_temperature(static_cast<float>(report.temperature));
  const std::vector<Prediction> calibrated = Predict(model, held_out);
  report.metrics = Measure(calibrated, report.categories);
  report.entropy_threshold = EntropyAtCoverage(calibrated, options.coverage);
  std::size_t certain = 0, right = 0;
  for (const Prediction& p : calibrated) {
    if (p.entropy > report.entropy_threshold) continue;
    ++certain;
    right += std::max_element(p.probabilities.begin(), p.probabilities.end()) - p.probabilities.begin() == p.truth;
  }
  report.coverage = static_cast<double>(certain) / static_cast<double>(calibrated.size());
  report.accuracy_certain = certain == 0 ? 0 : static_cast<double>(right) / static_cast<double>(certain);
}

v1::Artifact MakeArtifact(const TrainOptions& options, const TrainReport& report, v1::LinearClassifier model) {
  v1::Artifact artifact;
  artifact.set_version(classifier::kArtifactVersion);
  artifact.set_created_by(std::string("pointsman ") + kVersion);
  for (const SourceRows& source : report.sources) {
    v1::Source& out = *artifact.add_sources();
    out.set_name(source.name);
    out.set_licence(source.licence);
    out.set_rows(static_cast<std::uint32_t>(source.rows));
  }
  model.set_temperature(static_cast<float>(report.temperature));
  // One step up, so that the row which set the threshold stays at or under it after rounding to float.
  model.set_entropy_threshold(std::nextafter(static_cast<float>(report.entropy_threshold), 100.0F));
  *artifact.mutable_classifier() = std::move(model);
  v1::Report& figures = *artifact.mutable_report();
  figures.set_rows(static_cast<std::uint32_t>(report.held_out));
  figures.set_accuracy(report.metrics.accuracy);
  figures.set_macro_f1(report.metrics.macro_f1);
  figures.set_ece(report.metrics.ece);
  figures.set_coverage(report.coverage);
  artifact.set_seed(options.fit.seed);
  return artifact;
}

void CountSources(const Rows& rows, const TrainOptions& options, TrainReport& report) {
  for (const std::string& name : rows.sources) {
    const auto licence = options.licences.find(name);
    report.sources.push_back({name, licence == options.licences.end() ? "NOASSERTION" : licence->second, 0});
  }
  for (const Row& row : rows.rows) ++report.sources[row.source].rows;
  std::erase_if(report.sources, [](const SourceRows& source) { return source.rows == 0; });
}

}  // namespace

Result<TrainReport> TrainClassifier(const TrainOptions& options) {
  if (auto checked = Check(options); !checked) return checked.error();
  const auto stage = [&](std::string_view name) {
    return [&options, name](double share) {
      if (options.progress) options.progress(name, share);
    };
  };
  auto rows = ReadRows(options.rows, stage("reading rows"));
  if (!rows) return std::move(rows).error();

  TrainReport report;
  report.categories = rows->labels;
  report.dropped = rows->dropped;
  report.duplicates = rows->duplicates;
  report.bad = rows->bad;
  report.bad_examples = rows->bad_examples;
  report.rows = rows->rows.size();
  CountSources(*rows, options, report);
  const std::string found =
      std::to_string(report.rows) + " rows of " + std::to_string(report.categories.size()) + " labels";
  if (report.categories.size() < 2) return InvalidArgument("rows", found + ": at least 2 labels are needed");
  if (report.categories.size() > classifier::kMaxCategories)
    return InvalidArgument("rows", found + ": at most 256 labels are served");

  std::vector<Example> all, fitted, held_out;
  for (const Row& row : rows->rows) {
    all.push_back({row.text, row.label});
    (HeldOut(row.text, options.holdout) ? held_out : fitted).push_back(all.back());
  }
  report.held_out = held_out.size();
  if (held_out.empty() || fitted.empty()) {
    return InvalidArgument("rows", found + ": too few to hold some out (--holdout)");
  }
  MeasureHeldOut(options, fitted, held_out, stage("fitting without the held-out rows"), report);
  v1::LinearClassifier model = FitSoftmax(all, report.categories, options.fit, stage("fitting on all rows"));

  const v1::Artifact artifact = MakeArtifact(options, report, std::move(model));
  if (const std::string flaw = classifier::Flaw(artifact.classifier()); !flaw.empty()) {
    return Internal("the fitted model cannot be served: " + flaw);
  }
  auto written = classifier::WriteArtifact(options.out, artifact);
  if (!written) return std::move(written).error();
  report.checksum = *std::move(written);
  report.out = options.out;
  report.artifact_bytes = std::filesystem::file_size(options.out);
  return report;
}

}  // namespace pointsman::offline
