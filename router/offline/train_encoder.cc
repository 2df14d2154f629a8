#include "router/offline/train_encoder.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>

#include "router/classifier/cascade_file.h"
#include "router/classifier/classifier.h"
#include "router/classifier/encoder_head.h"
#include "router/offline/fit_classifier.h"
#include "router/offline/fit_encoder_head.h"
#include "router/version.h"

namespace pointsman::offline {
namespace {

// Accuracy of the held-out rows when the share of them in which the gate, fitted without them, trusts the fast lane
// least gets the refined answer.
std::vector<SharePoint> Curve(const v1::CascadeGate& stored) {
  gate::CascadeGate gate;
  classifier::FromProto(stored, gate);
  std::vector<SharePoint> curve;
  for (const double share : {0.0, 0.05, 0.1, 0.2, 0.3, 1.0}) {
    curve.push_back({share, gate::ThresholdForShare(gate, share)->quality});
  }
  return curve;
}

// rows.labels' indices to the classifier's.
Result<std::vector<std::uint32_t>> MapLabels(const Rows& rows, const std::vector<std::string>& categories) {
  std::vector<std::uint32_t> map;
  for (const std::string& label : rows.labels) {
    const auto found = std::find(categories.begin(), categories.end(), label);
    if (found == categories.end()) {
      std::string known;
      for (const std::string& category : categories) known += (known.empty() ? "" : ", ") + category;
      return InvalidArgument("rows", "the classifier has no category \"" + label + "\" (it has: " + known +
                                         "): give --rename and --drop as when it was trained");
    }
    map.push_back(static_cast<std::uint32_t>(found - categories.begin()));
  }
  return map;
}

void DescribeSources(const TrainEncoderOptions& options, const Rows& rows, v1::EncoderHead& head) {
  std::vector<std::uint32_t> counts(rows.sources.size());
  for (const Row& row : rows.rows) ++counts[row.source];
  for (std::size_t s = 0; s < rows.sources.size(); ++s) {
    v1::Source* source = head.add_sources();
    source->set_name(rows.sources[s]);
    const auto licence = options.licences.find(rows.sources[s]);
    source->set_licence(licence == options.licences.end() ? "NOASSERTION" : licence->second);
    source->set_rows(counts[s]);
  }
}

}  // namespace

Result<TrainEncoderReport> TrainEncoder(const TrainEncoderOptions& options) {
  if (!(options.holdout > 0 && options.holdout <= 0.5)) {
    return InvalidArgument("holdout", "--holdout is not over 0 and up to 0.5");
  }
  if (options.out.empty()) return InvalidArgument("out", "no output file (--out FILE)");
  const auto stage = [&](std::string_view name) {
    return [&options, name](double share) {
      if (options.progress) options.progress(name, share);
    };
  };
  auto fast = classifier::Classifier::Load(options.classifier, std::nullopt);
  if (!fast) return std::move(fast).error();
  const std::vector<std::string>& categories = (*fast)->categories();
  Result<Rows> rows = ReadRows(options.rows, stage("reading"));
  if (!rows) return std::move(rows).error();
  Result<std::vector<std::uint32_t>> map = MapLabels(*rows, categories);
  if (!map) return std::move(map).error();

  std::vector<std::string_view> texts;
  std::vector<bool> fitted(categories.size());
  for (const Row& row : rows->rows) {
    texts.push_back(row.text);
    if (!HeldOut(row.text, options.holdout)) fitted[(*map)[row.label]] = true;
  }
  // Found before the embedding, which takes minutes.
  for (std::size_t c = 0; c < fitted.size(); ++c) {
    if (!fitted[c])
      return InvalidArgument("rows", "no row of the category " + categories[c] + " to fit: give more rows");
  }
  Result<EmbeddedTexts> embedded = options.embed(texts, stage("embedding"));
  if (!embedded) return std::move(embedded).error();

  std::vector<EmbeddedRow> all;
  std::vector<Example> seen;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::uint32_t label = (*map)[rows->rows[i].label];
    const bool held_out = HeldOut(texts[i], options.holdout);
    all.push_back({std::move(embedded->vectors[i]), label, held_out, {}});
    if (!held_out) seen.push_back({texts[i], label});
  }
  ClassifierOptions fit;
  fit.linear.seed = options.seed;
  // Fitted as the classifier was: with its token vectors, or without any.
  if (auto embedding = ReadEmbedding(options.classifier)) fit.embedding = *std::move(embedding);
  auto cross = FitClassifier(seen, categories, fit, stage("fitting the fast lane"));
  if (!cross) return std::move(cross).error();
  const auto unseeing = Served(cross->artifact);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].held_out) all[i].fast = unseeing->Classify(texts[i]);
  }
  TrainEncoderReport report;
  Result<v1::EncoderHead> head = FitEncoderHead(all, categories, stage("fitting the encoder lane"));
  if (!head) return std::move(head).error();
  head->set_version(classifier::kEncoderHeadVersion);
  head->set_created_by(std::string("pointsman ") + kVersion);
  head->set_seed(options.seed);
  head->set_classifier(std::string((*fast)->checksum()));
  head->set_encoder(embedded->encoder);
  DescribeSources(options, *rows, *head);
  Result<std::string> checksum = classifier::WriteEncoderHead(options.out, *head);
  if (!checksum) return std::move(checksum).error();

  report.rows = all.size();
  report.held_out = head->report().rows();
  report.truncated = embedded->truncated;
  report.categories = categories.size();
  report.dropped = rows->dropped;
  report.duplicates = rows->duplicates;
  report.bad = rows->bad;
  report.bad_examples = rows->bad_examples;
  report.curve = Curve(head->gate());
  report.ece = head->report().ece();
  report.fast_weight = static_cast<double>(head->fast_weight());
  report.linear_weight = static_cast<double>(head->linear_weight());
  report.neighbour_weight = static_cast<double>(head->neighbour_weight());
  report.temperature = static_cast<double>(head->temperature());
  report.nearest = head->nearest();
  report.sharpness = static_cast<double>(head->sharpness());
  report.out = options.out;
  std::error_code ignored;
  report.head_bytes = std::filesystem::file_size(options.out, ignored);
  report.checksum = *checksum;
  return report;
}

std::string ReportText(const TrainEncoderReport& report) {
  char line[256];
  std::string text;
  const auto add = [&](const char* format, auto... values) {
    std::snprintf(line, sizeof line, format, values...);
    text += line;
  };
  add("%zu rows of %zu categories; %zu held out; of %zu the encoder read the beginning only\n", report.rows,
      report.categories, report.held_out, report.truncated);
  if (report.dropped + report.duplicates + report.bad > 0) {
    add("left out: %zu dropped, %zu duplicates, %zu bad\n", static_cast<std::size_t>(report.dropped),
        static_cast<std::size_t>(report.duplicates), static_cast<std::size_t>(report.bad));
  }
  for (const std::string& example : report.bad_examples) text += "  " + example + "\n";
  text += "\nescalated  accuracy on the held-out rows\n";
  for (const SharePoint& point : report.curve) add("   %4.0f %%  %5.1f %%\n", 100 * point.share, 100 * point.accuracy);
  add("calibration error of refined answers: %.3f\n", report.ece);
  add("weights: fast %.2f, linear %.2f, neighbours %.2f; temperature %.2f; %u neighbours, sharpness %.0f\n",
      report.fast_weight, report.linear_weight, report.neighbour_weight, report.temperature, report.nearest,
      report.sharpness);
  text += "Weights, temperature, neighbours and the strength of the regression were chosen on these rows.\n";
  add("%s: %.1f MB, SHA-256 %s\n", report.out.c_str(), static_cast<double>(report.head_bytes) / 1e6,
      report.checksum.c_str());
  return text;
}

std::string ReportJson(const TrainEncoderReport& report) {
  namespace json = boost::json;
  json::array curve;
  for (const SharePoint& point : report.curve) {
    curve.push_back(json::object{{"share", point.share}, {"accuracy", point.accuracy}});
  }
  const json::object object{{"rows", report.rows},
                            {"held_out", report.held_out},
                            {"truncated", report.truncated},
                            {"categories", report.categories},
                            {"dropped", report.dropped},
                            {"duplicates", report.duplicates},
                            {"bad", report.bad},
                            {"curve", std::move(curve)},
                            {"ece", report.ece},
                            {"fast_weight", report.fast_weight},
                            {"linear_weight", report.linear_weight},
                            {"neighbour_weight", report.neighbour_weight},
                            {"temperature", report.temperature},
                            {"nearest", report.nearest},
                            {"sharpness", report.sharpness},
                            {"out", report.out.string()},
                            {"bytes", report.head_bytes},
                            {"sha256", report.checksum}};
  return json::serialize(object);
}

}  // namespace pointsman::offline
