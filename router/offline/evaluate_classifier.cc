#include "router/offline/evaluate_classifier.h"

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <memory>

#include "router/classifier/classifier.h"
#include "router/classifier/encoder_head.h"
#include "router/offline/metrics_json.h"

namespace pointsman::offline {
namespace {

double Quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

bool AmongLikeliest(const std::vector<float>& probabilities, std::size_t truth, std::size_t count) {
  const auto above =
      std::count_if(probabilities.begin(), probabilities.end(), [&](float p) { return p > probabilities[truth]; });
  return static_cast<std::size_t>(above) < count;
}

// The median of three runs, so that the first look at a text's cache lines does not count as the classifier's time.
policies::Evidence Timed(const classifier::Classifier& classifier, const classifier::Conversation& conversation,
                         const classifier::PartWeights& weights, double& microseconds) {
  double times[3];
  policies::Evidence evidence;
  for (double& time : times) {
    const auto start = std::chrono::steady_clock::now();
    evidence = classifier::Classify(classifier, conversation, weights);
    time = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
  }
  std::sort(std::begin(times), std::end(times));
  microseconds = times[1];
  return evidence;
}

Result<std::shared_ptr<const classifier::EncoderHead>> LoadHead(const EvaluateEncoderLane& lane,
                                                                const classifier::Classifier& classifier) {
  if (!(lane.share > 0 && lane.share <= 1)) return InvalidArgument("share", "--share is not over 0 and up to 1");
  auto head = classifier::EncoderHead::Load(lane.head, std::nullopt);
  if (!head) return std::move(head).error();
  if ((*head)->classifier() != classifier.checksum() || (*head)->categories() != classifier.categories()) {
    return InvalidArgument("head",
                           lane.head.string() +
                               ": it was made for another classifier: make it anew with `pointsman train encoder "
                               "--classifier` and this artifact");
  }
  return head;
}

// Replaces the evidence of the rows that the lane would escalate. Returns how many these are.
Result<std::size_t> Escalate(const EvaluateEncoderLane& lane, const classifier::EncoderHead& head,
                             const std::vector<Row>& rows, const std::function<void(double)>& progress,
                             std::vector<policies::Evidence>& evidence) {
  const double threshold = head.ThresholdForShare(lane.share);
  std::vector<std::size_t> unsure;
  std::vector<std::string_view> texts;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (gate::KeepByThreshold(head.Confidence(evidence[i]), threshold)) continue;
    unsure.push_back(i);
    texts.push_back(rows[i].text);
  }
  if (unsure.empty()) return 0;
  auto embedded = lane.embed(texts, progress);
  if (!embedded) return std::move(embedded).error();
  if (embedded->encoder != head.encoder()) {
    return InvalidArgument("encoder", lane.head.string() + ": it was trained with the encoder " + head.encoder() +
                                          ", and this one is " + embedded->encoder);
  }
  for (std::size_t i = 0; i < unsure.size(); ++i) {
    auto precise = head.PreciseEvidence(evidence[unsure[i]], embedded->vectors[i]);
    if (!precise) return std::move(precise).error();
    evidence[unsure[i]] = *std::move(precise);
  }
  return unsure.size();
}

}  // namespace

double Auroc(std::vector<double> above, std::vector<double> below) {
  if (above.empty() || below.empty()) return 0.5;
  std::sort(below.begin(), below.end());
  double sum = 0;
  for (const double value : above) {
    const auto [first, last] = std::equal_range(below.begin(), below.end(), value);
    sum += static_cast<double>(first - below.begin()) + static_cast<double>(last - first) / 2;
  }
  return sum / (static_cast<double>(above.size()) * static_cast<double>(below.size()));
}

Result<ClassifierEvaluation> EvaluateClassifier(const EvaluateClassifierOptions& options) {
  auto classifier = classifier::Classifier::Load(options.artifact, std::nullopt);
  if (!classifier) return std::move(classifier).error();
  const std::vector<std::string>& categories = (*classifier)->categories();
  const auto stage = [&](std::string_view name) {
    return [&options, name](double share) {
      if (options.progress) options.progress(name, share);
    };
  };
  RowOptions row_options = options.rows;
  row_options.known_labels = {categories.begin(), categories.end()};
  row_options.two_labels = true;
  auto rows = ReadRows(row_options, stage("reading rows"));
  if (!rows) return std::move(rows).error();
  if (rows->rows.empty()) return InvalidArgument("rows", "there are no rows to evaluate on");
  std::vector<std::uint32_t> index;  // of the file's labels in the artifact
  for (const std::string& label : rows->labels) {
    index.push_back(
        static_cast<std::uint32_t>(std::find(categories.begin(), categories.end(), label) - categories.begin()));
  }

  std::shared_ptr<const classifier::EncoderHead> head;
  if (options.encoder) {
    auto loaded = LoadHead(*options.encoder, **classifier);
    if (!loaded) return std::move(loaded).error();
    head = *std::move(loaded);
  }

  ClassifierEvaluation result;
  result.bad = rows->bad;
  result.bad_examples = rows->bad_examples;
  std::vector<policies::Evidence> evidences;
  std::vector<double> microseconds;
  const auto progress = stage("classifying");
  for (const Row& row : rows->rows) {
    const classifier::Conversation conversation = {row.system, row.history, row.text};
    evidences.push_back(Timed(**classifier, conversation, options.weights, microseconds.emplace_back()));
    if (evidences.size() % 256 == 0) {
      progress(static_cast<double>(evidences.size()) / static_cast<double>(rows->rows.size()));
    }
  }
  if (head != nullptr) {
    auto escalated = Escalate(*options.encoder, *head, rows->rows, stage("encoding"), evidences);
    if (!escalated) return std::move(escalated).error();
    result.escalated = static_cast<double>(*escalated) / static_cast<double>(evidences.size());
  }
  std::vector<Prediction> predictions;
  std::vector<double> right, wrong, novelty;
  std::size_t top3 = 0, uncertain = 0, bytes = 0;
  for (std::size_t i = 0; i < evidences.size(); ++i) {
    policies::Evidence& evidence = evidences[i];
    const std::uint32_t truth = index[rows->rows[i].label];
    top3 += AmongLikeliest(evidence.probabilities, truth, 3) ? 1 : 0;
    uncertain += evidence.uncertain ? 1 : 0;
    bytes += rows->rows[i].text.size();
    novelty.push_back(evidence.novelty);
    (evidence.likeliest == truth ? right : wrong).push_back(evidence.probabilities[evidence.likeliest]);
    predictions.push_back({truth, std::move(evidence.probabilities), evidence.entropy});
  }
  const auto n = static_cast<double>(predictions.size());
  result.metrics = Measure(predictions, categories);
  result.top3 = static_cast<double>(top3) / n;
  result.uncertain = static_cast<double>(uncertain) / n;
  result.mean_bytes = static_cast<double>(bytes) / n;
  result.auroc_correct = Auroc(right, wrong);
  result.microseconds_p50 = Quantile(microseconds, 0.5);
  result.microseconds_p99 = Quantile(microseconds, 0.99);
  if (options.foreign.empty()) return result;

  RowOptions foreign_options;
  foreign_options.files = options.foreign;
  foreign_options.text_field = options.rows.text_field;
  foreign_options.label_field = "";
  foreign_options.skip_bad = options.rows.skip_bad;
  auto foreign = ReadRows(foreign_options, stage("reading foreign rows"));
  if (!foreign) return std::move(foreign).error();
  std::vector<policies::Evidence> foreign_evidences;
  for (const Row& row : foreign->rows) foreign_evidences.push_back((*classifier)->Classify(row.text));
  if (head != nullptr) {
    auto escalated =
        Escalate(*options.encoder, *head, foreign->rows, stage("encoding foreign rows"), foreign_evidences);
    if (!escalated) return std::move(escalated).error();
  }
  std::vector<double> strange;
  std::size_t found = 0;
  for (const policies::Evidence& evidence : foreign_evidences) {
    strange.push_back(evidence.novelty);
    found += evidence.uncertain ? 1 : 0;
  }
  result.foreign = strange.size();
  if (strange.empty()) return InvalidArgument("foreign", "there are no foreign rows");
  result.foreign_found = static_cast<double>(found) / static_cast<double>(strange.size());
  result.auroc_foreign = Auroc(std::move(strange), std::move(novelty));
  return result;
}

std::string EvaluationText(const ClassifierEvaluation& e) {
  char text[1024];
  std::string out;
  std::snprintf(text, sizeof text,
                "%zu rows of %.0f bytes in the mean\n"
                "  accuracy            %6.2f %%\n"
                "  among the top 3     %6.2f %%\n"
                "  macro F1            %6.2f %%\n"
                "  calibration error   %6.4f\n"
                "  mean -ln p(truth)   %6.3f nats\n"
                "  AUROC right/wrong   %6.4f\n"
                "  uncertain           %6.2f %%\n"
                "  time p50, p99       %6.1f us, %.1f us\n",
                e.metrics.rows, e.mean_bytes, 100 * e.metrics.accuracy, 100 * e.top3, 100 * e.metrics.macro_f1,
                e.metrics.ece, e.metrics.nll, e.auroc_correct, 100 * e.uncertain, e.microseconds_p50,
                e.microseconds_p99);
  out += text;
  if (e.escalated) {
    std::snprintf(text, sizeof text, "  escalated to encoder %5.2f %%\n", 100 * *e.escalated);
    out += text;
  }
  if (e.auroc_foreign) {
    std::snprintf(text, sizeof text, "  %zu foreign rows: AUROC %.4f, %.2f %% of them uncertain\n", e.foreign,
                  *e.auroc_foreign, 100 * *e.foreign_found);
    out += text;
  }
  for (const std::string& bad : e.bad_examples) out += "  left out: " + bad + "\n";
  return out;
}

std::string EvaluationJson(const ClassifierEvaluation& e) {
  namespace json = boost::json;
  json::array bad;
  for (const std::string& message : e.bad_examples) bad.push_back(json::value(message));
  json::object out = {{"n", e.metrics.rows},
                      {"accuracy", e.metrics.accuracy},
                      {"macro_f1", e.metrics.macro_f1},
                      {"top3", e.top3},
                      {"ece", e.metrics.ece},
                      {"nll", e.metrics.nll},
                      {"auroc_correct", e.auroc_correct},
                      {"uncertain", e.uncertain},
                      {"microseconds_p50", e.microseconds_p50},
                      {"microseconds_p99", e.microseconds_p99},
                      {"mean_bytes", e.mean_bytes},
                      {"bad", e.bad},
                      {"bad_examples", bad},
                      {"categories", CategoriesJson(e.metrics)},
                      {"confusions", ConfusionsJson(e.metrics)},
                      {"calibration", CalibrationJson(e.metrics)},
                      {"curve", CurveJson(e.metrics)}};
  if (e.escalated) out["escalated"] = *e.escalated;
  if (e.auroc_foreign) {
    out["foreign"] = e.foreign;
    out["auroc_foreign"] = *e.auroc_foreign;
    out["foreign_uncertain"] = *e.foreign_found;
  }
  return json::serialize(out);
}

}  // namespace pointsman::offline
