#include "router/offline/train_classifier.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "router/classifier/artifact.h"
#include "router/classifier/features.h"
#include "router/classifier/linear.h"
#include "router/offline/fit_classifier.h"
#include "router/offline/write_classifier.h"
#include "router/version.h"

namespace pointsman::offline {
namespace {

Result<void> Check(const TrainOptions& o) {
  if (!(o.fit.coverage > 0 && o.fit.coverage <= 1))
    return InvalidArgument("coverage", "--coverage is not over 0 and up to 1");
  if (!(o.fit.linear.dropout >= 0 && o.fit.linear.dropout < 1))
    return InvalidArgument("dropout", "--dropout is not in [0, 1)");
  if (!(o.fit.linear.learning_rate > 0 && o.fit.linear.last_learning_rate > 0)) {
    return InvalidArgument("learning_rate", "a learning rate is not positive");
  }
  if (!(o.fit.linear.balance >= 0 && o.fit.linear.balance <= 1))
    return InvalidArgument("balance", "--balance is not in [0, 1]");
  if (o.fit.linear.epochs == 0 || o.fit.linear.epochs > 1000)
    return InvalidArgument("epochs", "--epochs is not 1 to 1000");
  if (o.fit.linear.bucket_bits < 8 || o.fit.linear.bucket_bits > 22)
    return InvalidArgument("bucket_bits", "--bucket-bits is not 8 to 22");
  if (o.fit.linear.max_bytes < 64 || o.fit.linear.max_bytes > classifier::kMaxTextBytes) {
    return InvalidArgument("max_bytes", "--max-bytes is not 64 to 8192");
  }
  if (o.out.empty()) return InvalidArgument("out", "no output file (--out FILE)");
  return {};
}

void MeasureOutOfFold(const FittedClassifier& fitted, TrainReport& report) {
  report.metrics = Measure(fitted.out_of_fold, report.categories);
  report.linear = Measure(fitted.uncalibrated, report.categories);
  report.temperature = fitted.artifact.classifier().temperature();
  report.view_weights.assign(fitted.artifact.ensemble().weights().begin(), fitted.artifact.ensemble().weights().end());
  report.entropy_threshold = fitted.artifact.classifier().entropy_threshold();
  std::size_t certain = 0, right = 0;
  for (const Prediction& p : fitted.out_of_fold) {
    if (p.entropy > report.entropy_threshold) continue;
    ++certain;
    right += std::max_element(p.probabilities.begin(), p.probabilities.end()) - p.probabilities.begin() == p.truth;
  }
  report.coverage = static_cast<double>(certain) / static_cast<double>(fitted.out_of_fold.size());
  report.accuracy_certain = certain == 0 ? 0 : static_cast<double>(right) / static_cast<double>(certain);
}

void Describe(const TrainOptions& options, const TrainReport& report, v1::Artifact& artifact) {
  artifact.set_created_by(std::string("pointsman ") + kVersion);
  for (const SourceRows& source : report.sources) {
    v1::Source& out = *artifact.add_sources();
    out.set_name(source.name);
    out.set_licence(source.licence);
    out.set_rows(static_cast<std::uint32_t>(source.rows));
  }
  v1::Report& figures = *artifact.mutable_report();
  figures.set_rows(static_cast<std::uint32_t>(report.rows));
  figures.set_accuracy(report.metrics.accuracy);
  figures.set_macro_f1(report.metrics.macro_f1);
  figures.set_ece(report.metrics.ece);
  figures.set_coverage(report.coverage);
  artifact.set_seed(options.fit.linear.seed);
}

void CountSources(const Rows& rows, const TrainOptions& options, TrainReport& report) {
  for (const std::string& name : rows.sources) {
    const auto licence = options.licences.find(name);
    report.sources.push_back({name, licence == options.licences.end() ? "NOASSERTION" : licence->second, 0});
  }
  for (const Row& row : rows.rows) ++report.sources[row.source].rows;
  std::erase_if(report.sources, [](const SourceRows& source) { return source.rows == 0; });
}

// The texts of the unlabelled rows that no labelled row has.
Result<std::vector<std::string>> ReadUnlabelled(const TrainOptions& options, const Rows& labelled,
                                                const std::function<void(double)>& progress) {
  RowOptions row_options;
  row_options.files = options.unlabelled;
  row_options.text_field = options.rows.text_field;
  row_options.label_field = "";
  row_options.skip_bad = options.rows.skip_bad;
  auto rows = ReadRows(row_options, progress);
  if (!rows) return std::move(rows).error();
  std::set<std::string_view> known;
  for (const Row& row : labelled.rows) known.insert(row.text);
  std::vector<std::string> texts;
  for (Row& row : rows->rows) {
    if (!known.contains(row.text)) texts.push_back(std::move(row.text));
  }
  if (texts.empty()) return InvalidArgument("unlabelled", "there are no unlabelled rows besides the labelled ones");
  return texts;
}

bool Right(const Prediction& p) {
  return std::max_element(p.probabilities.begin(), p.probabilities.end()) - p.probabilities.begin() == p.truth;
}

UnlabelledReport CompareUnlabelled(const FittedClassifier& without, const FittedClassifier& with, std::size_t rows) {
  UnlabelledReport report;
  report.rows = rows;
  report.taken = with.taken;
  const auto n = static_cast<double>(with.out_of_fold.size());
  double sum = 0, squares = 0;  // of the differences
  for (std::size_t i = 0; i < with.out_of_fold.size(); ++i) {
    const int before = Right(without.out_of_fold[i]) ? 1 : 0, after = Right(with.out_of_fold[i]) ? 1 : 0;
    report.accuracy_without += before / n;
    report.accuracy_with += after / n;
    sum += after - before;
    squares += (after - before) * (after - before);
  }
  report.gain_error = std::sqrt(std::max(0.0, squares / n - sum / n * sum / n) / n);
  return report;
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

  std::vector<Example> examples;
  for (const Row& row : rows->rows) examples.push_back({row.text, row.label});
  auto fitted = FitClassifier(examples, report.categories, options.fit, stage("fitting"));
  if (!fitted) return std::move(fitted).error();
  if (!options.unlabelled.empty()) {
    auto texts = ReadUnlabelled(options, *rows, stage("reading unlabelled rows"));
    if (!texts) return std::move(texts).error();
    ClassifierOptions fit = options.fit;
    fit.unlabelled.assign(texts->begin(), texts->end());
    auto with = FitClassifier(examples, report.categories, fit, stage("fitting with unlabelled rows"));
    if (!with) return std::move(with).error();
    report.unlabelled = CompareUnlabelled(*fitted, *with, texts->size());
    fitted = std::move(with);
  }
  report.folds = options.fit.folds;
  MeasureOutOfFold(*fitted, report);
  v1::Artifact& artifact = fitted->artifact;
  Describe(options, report, artifact);
  auto written = WriteClassifier(options.out, artifact);
  if (!written) return std::move(written).error();
  report.checksum = std::move(written->checksum);
  report.artifact_bytes = written->bytes;
  report.out = options.out;
  return report;
}

}  // namespace pointsman::offline
