#include "router/offline/train_gate.h"

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <numeric>
#include <span>
#include <unordered_set>

#include "router/classifier/expert_gates.h"
#include "router/classifier/gate_file.h"
#include "router/offline/evaluate_classifier.h"
#include "router/offline/fit_gate.h"
#include "router/offline/format.h"
#include "router/version.h"

namespace pointsman::offline {
namespace {

namespace json = boost::json;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kFolds = 4;

// The rows of all folds but `fold`, or those of `fold` alone.
std::vector<std::uint32_t> RowsOf(std::size_t size, std::size_t fold, bool of_fold) {
  std::vector<std::uint32_t> rows;
  for (std::uint32_t i = 0; i < size; ++i) {
    if ((i % kFolds == fold) == of_fold) rows.push_back(i);
  }
  return rows;
}

double CrossValidate(std::span<const std::string_view> own, const GateTexts& own_texts,
                     std::span<const std::string_view> pool, const GateTexts& pool_texts,
                     const TrainGateOptions& options,
                     const std::shared_ptr<const classifier::StaticEmbedding>& embedding) {
  std::vector<double> above, below;
  for (std::size_t fold = 0; fold < kFolds; ++fold) {
    if (options.progress) options.progress("cross-validation", static_cast<double>(fold) / kFolds);
    const auto own_rows = RowsOf(own.size(), fold, false), pool_rows = RowsOf(pool.size(), fold, false);
    const GateRows own_part{own_texts, own_rows}, pool_part{pool_texts, pool_rows};
    const v1::ExpertGate gate = FitGate(own_part, pool_part, embedding->dimensions(), options.seed);
    const classifier::ExpertGates served({&gate, 1}, embedding, classifier::GateForm::kEnsemble);
    float logit = 0;
    for (const std::uint32_t i : RowsOf(own.size(), fold, true)) {
      served.Logits(own[i], {&logit, 1});
      above.push_back(logit);
    }
    for (const std::uint32_t i : RowsOf(pool.size(), fold, true)) {
      served.Logits(pool[i], {&logit, 1});
      below.push_back(logit);
    }
  }
  return Auroc(std::move(above), std::move(below));
}

Error TooFew(const char* what, const char* flag, std::size_t rows) {
  return InvalidArgument("rows", Format("%zu %s are too few: a gate needs %zu (%s)", rows, what, kLeastGateRows, flag));
}

}  // namespace

Result<TrainGateReport> TrainGate(const TrainGateOptions& options) {
  if (options.expert.empty()) return InvalidArgument("expert", "--expert is empty: name the expert of the gate");
  if (options.embedding == nullptr) {
    return InvalidArgument("embedding",
                           "a gate needs token vectors (--embedding is none, or the shipped classifier is missing)");
  }
  const auto reading = [&](double share) {
    if (options.progress) options.progress("reading", share);
  };
  auto rows = ReadRows(options.rows, reading);
  if (!rows) return std::move(rows).error();
  auto pool_rows = ReadRows(options.pool, reading);
  if (!pool_rows) return std::move(pool_rows).error();

  TrainGateReport report;
  report.expert = options.expert;
  std::vector<std::string_view> own, pool;
  for (const Row& row : rows->rows) own.push_back(row.text);
  const std::unordered_set<std::string_view> known(own.begin(), own.end());
  for (const Row& row : pool_rows->rows) {
    if (!known.contains(row.text)) pool.push_back(row.text);
  }
  report.shared = pool_rows->rows.size() - pool.size();
  DrawPool(pool, options.seed);
  if (own.size() < kLeastGateRows) return TooFew("own prompts", "--rows, --where, --h", own.size());
  if (pool.size() < kLeastGateRows) return TooFew("texts of the pool", "--pool", pool.size());

  const auto embedding = std::make_shared<const classifier::StaticEmbedding>(*options.embedding);
  const Clock::time_point start = Clock::now();
  const GateTexts own_texts = PrepareGateTexts(own, *embedding), pool_texts = PrepareGateTexts(pool, *embedding);
  std::vector<std::uint32_t> all_own(own.size()), all_pool(pool.size());
  std::iota(all_own.begin(), all_own.end(), 0U);
  std::iota(all_pool.begin(), all_pool.end(), 0U);
  const GateRows own_part{own_texts, all_own}, pool_part{pool_texts, all_pool};
  v1::ExpertGate gate = FitGate(own_part, pool_part, embedding->dimensions(), options.seed);
  report.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  report.auroc = CrossValidate(own, own_texts, pool, pool_texts, options, embedding);
  report.rows = own.size();
  report.pool_rows = pool.size();
  report.examples = static_cast<std::size_t>(gate.examples().scales_size());
  report.duplicates = rows->duplicates + pool_rows->duplicates;
  report.bad = rows->bad + pool_rows->bad;
  report.bad_examples = rows->bad_examples;
  report.bad_examples.insert(report.bad_examples.end(), pool_rows->bad_examples.begin(), pool_rows->bad_examples.end());

  gate.set_version(classifier::kGateVersion);
  gate.set_created_by(std::string("pointsman ") + kVersion);
  gate.set_expert(options.expert);
  gate.set_embedding(classifier::EmbeddingChecksum(*options.embedding));
  v1::Source& source = *gate.add_sources();
  source.set_name(options.source);
  source.set_licence(options.licence.empty() ? "NOASSERTION" : options.licence);
  source.set_rows(static_cast<std::uint32_t>(report.rows));
  v1::GateReport& figures = *gate.mutable_report();
  figures.set_rows(static_cast<std::uint32_t>(report.rows));
  figures.set_pool_rows(static_cast<std::uint32_t>(report.pool_rows));
  figures.set_examples(static_cast<std::uint32_t>(report.examples));
  figures.set_auroc(report.auroc);
  if (const std::string flaw = classifier::Flaw(gate); !flaw.empty()) {
    return Internal("the fitted gate cannot be served: " + flaw);
  }
  auto written = classifier::WriteGate(options.out, gate);
  if (!written) return std::move(written).error();
  report.out = options.out;
  report.checksum = *std::move(written);
  report.bytes = std::filesystem::file_size(options.out);
  return report;
}

std::string ReportText(const TrainGateReport& r) {
  std::string text =
      Format("%s: the gate of %s, %zu own prompts, %zu texts of the pool, %.1f s, %.0f KB\n", r.out.c_str(),
             r.expert.c_str(), r.rows, r.pool_rows, r.seconds, static_cast<double>(r.bytes) / 1e3);
  if (r.examples < r.rows) text += Format("%zu of the own prompts are kept as examples\n", r.examples);
  if (r.shared > 0) text += Format("%zu texts of the pool are own prompts: left out\n", r.shared);
  if (r.bad > 0) {
    text += Format("%llu bad rows left out, as:\n", static_cast<unsigned long long>(r.bad));
    for (const std::string& bad : r.bad_examples) text += "  " + bad + "\n";
  }
  text += Format("AUROC, own prompts against the pool, each by a gate without it: %.4f\n", r.auroc);
  text += Format("checksum %s\n", r.checksum.c_str());
  return text;
}

std::string ReportJson(const TrainGateReport& r) {
  return json::serialize(json::object{{"expert", r.expert},
                                      {"rows", r.rows},
                                      {"pool_rows", r.pool_rows},
                                      {"examples", r.examples},
                                      {"shared", r.shared},
                                      {"duplicates", r.duplicates},
                                      {"bad", r.bad},
                                      {"bad_examples", json::value_from(r.bad_examples)},
                                      {"auroc", r.auroc},
                                      {"seconds", r.seconds},
                                      {"artifact", r.out.string()},
                                      {"artifact_bytes", r.bytes},
                                      {"checksum", r.checksum}});
}

}  // namespace pointsman::offline
