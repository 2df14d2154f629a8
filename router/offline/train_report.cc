// router/offline/train_report.cc: a TrainReport as text for people and as JSON for scripts.
#include <boost/json.hpp>
#include <cmath>
#include <numeric>

#include "router/offline/format.h"
#include "router/offline/metrics_json.h"
#include "router/offline/train_classifier.h"

namespace pointsman::offline {
namespace {

std::string Curve(const Metrics& metrics) {
  std::string text = "\nCoverage and accuracy, the most certain rows first:\n  coverage  entropy <=  accuracy\n";
  for (const CoveragePoint& point : metrics.curve) {
    const auto stars = static_cast<std::size_t>(point.accuracy * 40 + 0.5);
    text += Format("    %5.1f %%      %6.3f   %5.1f %%  ", 100 * point.coverage, point.entropy, 100 * point.accuracy);
    text += std::string(stars, '*') + "\n";
  }
  return text;
}

std::string Calibration(const Metrics& metrics) {
  std::string text = "\nCalibration, by the largest probability:\n         bin     rows  probability  right\n";
  for (const CalibrationBin& bin : metrics.calibration) {
    if (bin.rows == 0) continue;
    text += Format("  %3.0f..%3.0f %%  %7zu      %5.1f %%  %5.1f %%\n", 100 * bin.low, 100 * bin.high, bin.rows,
                   100 * bin.probability, 100 * bin.accuracy);
  }
  return text;
}

std::string Unlabelled(const TrainReport& r) {
  const UnlabelledReport& u = *r.unlabelled;
  const std::size_t taken = std::accumulate(u.taken.begin(), u.taken.end(), std::size_t{0});
  std::string text =
      Format("\nUnlabelled rows: %zu, of which %zu got a label and joined the training:\n", u.rows, taken);
  for (std::size_t c = 0; c < u.taken.size(); ++c) {
    text += Format("  %-24s %7zu\n", r.categories[c].c_str(), u.taken[c]);
  }
  text += Format(
      "  accuracy out of fold, on the labelled rows: %.2f %% without them, %.2f %% with (%+.2f, standard "
      "error %.2f)\n",
      100 * u.accuracy_without, 100 * u.accuracy_with, 100 * (u.accuracy_with - u.accuracy_without),
      100 * u.gain_error);
  if (u.accuracy_with < u.accuracy_without) text += "  They made it worse here: train without --unlabelled.\n";
  return text;
}

}  // namespace

std::string ReportText(const TrainReport& r) {
  std::string text = Format("%zu rows, %zu categories (dropped %llu, duplicates %llu, bad %llu)\n", r.rows,
                            r.categories.size(), static_cast<unsigned long long>(r.dropped),
                            static_cast<unsigned long long>(r.duplicates), static_cast<unsigned long long>(r.bad));
  for (const std::string& bad : r.bad_examples) text += "  left out: " + bad + "\n";
  text += "\nSources:\n";
  for (const SourceRows& s : r.sources) {
    text += Format("  %-24s %7zu  %s\n", s.name.empty() ? "(unnamed)" : s.name.c_str(), s.rows, s.licence.c_str());
  }
  const double error = std::sqrt(r.metrics.accuracy * (1 - r.metrics.accuracy) / static_cast<double>(r.rows));
  text += Format("\nFigures out of fold, each row by a model fitted without its fold (%u folds):\n", r.folds);
  text += Format("  accuracy              %6.2f %%  (standard error %.2f)\n", 100 * r.metrics.accuracy, 100 * error);
  text += Format("  macro F1              %6.2f %%\n", 100 * r.metrics.macro_f1);
  text += Format("  mean -ln p(truth)     %6.3f nats\n", r.metrics.nll);
  text += Format("  calibration error     %6.4f\n", r.metrics.ece);
  text += Format("  linear view alone     %6.2f %%  (calibration error %.4f)\n", 100 * r.linear.accuracy, r.linear.ece);
  if (r.view_weights.empty()) text += Format("  temperature           %6.3f\n", r.temperature);
  for (std::size_t v = 0; v < r.view_weights.size(); ++v) {
    text +=
        Format("  weight of view %zu      %6.3f    (%s)\n", v, r.view_weights[v], v == 0 ? "n-grams" : "neighbours");
  }
  text += Format("  entropy threshold     %6.3f nats: %.1f %% of the rows are certain, %.2f %% of those are right\n",
                 r.entropy_threshold, 100 * r.coverage, 100 * r.accuracy_certain);
  if (r.unlabelled) text += Unlabelled(r);
  text += "\n  category                    rows  precision  recall    F1  mean p\n";
  for (const CategoryMetrics& c : r.metrics.categories) {
    text += Format("  %-24s %7zu    %5.1f %%  %5.1f %%  %5.1f %%   %.3f\n", c.name.c_str(), c.rows, 100 * c.precision,
                   100 * c.recall, 100 * c.f1, c.mean_probability);
  }
  text += "\nMost frequent errors:\n";
  for (const Confusion& c : r.metrics.confusions) {
    text += Format("  %4zu  %s -> %s\n", c.rows, c.truth.c_str(), c.predicted.c_str());
  }
  text += Calibration(r.metrics) + Curve(r.metrics);
  text += Format(
      "\nThe artifact's weights were then fitted on all %zu rows, with the calibration and threshold above; these "
      "rows\n"
      "cannot measure it.\n",
      r.rows);
  text += Format("%s: %llu bytes, sha256 %s\n", r.out.c_str(), static_cast<unsigned long long>(r.artifact_bytes),
                 r.checksum.c_str());
  return text;
}

std::string ReportJson(const TrainReport& r) {
  namespace json = boost::json;
  json::array sources, bad;
  for (const SourceRows& s : r.sources) sources.push_back({{"name", s.name}, {"licence", s.licence}, {"rows", s.rows}});
  for (const std::string& message : r.bad_examples) bad.push_back(json::value(message));
  const json::object out_of_fold = {{"rows", r.rows},
                                    {"folds", r.folds},
                                    {"accuracy", r.metrics.accuracy},
                                    {"macro_f1", r.metrics.macro_f1},
                                    {"nll", r.metrics.nll},
                                    {"ece", r.metrics.ece},
                                    {"accuracy_linear", r.linear.accuracy},
                                    {"coverage", r.coverage},
                                    {"accuracy_certain", r.accuracy_certain},
                                    {"categories", CategoriesJson(r.metrics)},
                                    {"confusions", ConfusionsJson(r.metrics)},
                                    {"confusion_table", TableJson(r.metrics)},
                                    {"calibration", CalibrationJson(r.metrics)},
                                    {"curve", CurveJson(r.metrics)}};
  json::object report = {{"rows", r.rows},
                         {"dropped", r.dropped},
                         {"duplicates", r.duplicates},
                         {"bad", r.bad},
                         {"bad_examples", bad},
                         {"sources", sources},
                         {"out_of_fold", out_of_fold},
                         {"temperature", r.temperature},
                         {"entropy_threshold", r.entropy_threshold},
                         {"artifact", {{"file", r.out.string()}, {"bytes", r.artifact_bytes}, {"sha256", r.checksum}}}};
  if (r.unlabelled) {
    const UnlabelledReport& u = *r.unlabelled;
    json::object taken;
    for (std::size_t c = 0; c < u.taken.size(); ++c) taken[r.categories[c]] = u.taken[c];
    report["unlabelled"] = {{"rows", u.rows},
                            {"taken", taken},
                            {"accuracy_without", u.accuracy_without},
                            {"accuracy_with", u.accuracy_with},
                            {"gain_error", u.gain_error}};
  }
  return json::serialize(report);
}

}  // namespace pointsman::offline
