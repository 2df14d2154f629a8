#include "router/offline/early_decision.h"

#include <algorithm>
#include <boost/json.hpp>

#include "router/offline/format.h"

namespace pointsman::offline {
namespace {

namespace json = boost::json;

using gate::Signal;
using gate::SignalSource;

constexpr std::size_t kLeastRows = 20;

// Whether each row escalates by `values`: those under the quantile `share` of the other half's.
std::vector<bool> Escalate(const std::vector<double>& values, double share) {
  std::vector<bool> escalate(values.size());
  for (std::size_t half = 0; half < 2; ++half) {
    std::vector<double> others;
    for (std::size_t r = 1 - half; r < values.size(); r += 2) others.push_back(values[r]);
    std::sort(others.begin(), others.end());
    const auto at = static_cast<std::size_t>(share * static_cast<double>(others.size()));
    const double threshold = others[std::min(at, others.size() - 1)];
    for (std::size_t r = half; r < values.size(); r += 2) escalate[r] = values[r] < threshold;
  }
  return escalate;
}

std::vector<double> ValuesOf(const CascadeRows& rows, SignalSource source, Signal signal, std::size_t tokens) {
  std::vector<double> values;
  for (const CascadeRow& row : rows.rows) {
    values.push_back((*SignalsOf(row, tokens).Values(source))[static_cast<std::size_t>(signal)]);
  }
  return values;
}

}  // namespace

Result<EarlyDecisionReport> EvaluateEarlyDecision(const EarlyDecisionOptions& options) {
  CascadeRowOptions wanted = options.rows;
  wanted.scores = false;
  wanted.signals = RowSignals::kTokens;
  auto read = ReadCascadeRows(wanted);
  if (!read) return std::move(read).error();
  const CascadeRows& rows = *read;
  if (rows.rows.size() < kLeastRows) {
    return InvalidArgument("generations",
                           "20 answers or more are needed; there are " + std::to_string(rows.rows.size()));
  }
  std::vector<std::size_t> tokens = options.tokens;
  std::sort(tokens.begin(), tokens.end());

  EarlyDecisionReport report;
  report.rows = rows.rows.size();
  const auto n = static_cast<double>(report.rows);
  double all_tokens = 0;
  for (const CascadeRow& row : rows.rows) all_tokens += static_cast<double>(row.tokens.size());
  report.mean_tokens = all_tokens / n;
  const bool whole_vocabulary = std::all_of(rows.rows.begin(), rows.rows.end(), [](const CascadeRow& row) {
    return SignalsOf(row, 0).source() == SignalSource::kVocabulary;
  });
  const SignalSource source = whole_vocabulary ? SignalSource::kVocabulary : SignalSource::kTopK;
  report.source = Name(source);

  for (const Signal signal : {Signal::kVariance, Signal::kEntropy, Signal::kProbability, Signal::kMaxProbability,
                              Signal::kMinVariance, Signal::kMinEntropy, Signal::kMinProbability}) {
    std::vector<std::vector<bool>> decisions;
    for (const std::size_t limit : tokens) {
      decisions.push_back(Escalate(ValuesOf(rows, source, signal, limit), options.strong_share));
    }
    decisions.push_back(Escalate(ValuesOf(rows, source, signal, 0), options.strong_share));
    const std::vector<bool>& final = decisions.back();
    const double final_share = static_cast<double>(std::count(final.begin(), final.end(), true)) / n;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      EarlyDecisionRow row{signal, tokens[i]};
      double kept = 0;
      for (std::size_t r = 0; r < rows.rows.size(); ++r) {
        const std::size_t length = rows.rows[r].tokens.size();
        const std::size_t after = std::min(length, tokens[i]);
        const bool escalate = decisions[i][r];
        row.ended += length <= tokens[i] ? 1 / n : 0;
        row.agreement += escalate == final[r] ? 1 / n : 0;
        bool settled = true;
        for (std::size_t later = i + 1; later < decisions.size(); ++later)
          settled = settled && decisions[later][r] == escalate;
        row.settled += settled ? 1 / n : 0;
        row.strong_share += escalate ? 1 / n : 0;
        if (escalate) {
          row.saved += static_cast<double>(length - after) / all_tokens;
        } else {
          row.released += static_cast<double>(after);
          ++kept;
        }
      }
      row.released = kept > 0 ? row.released / kept : 0;
      row.chance = row.strong_share * final_share + (1 - row.strong_share) * (1 - final_share);
      report.table.push_back(row);
    }
  }
  return report;
}

std::string EarlyDecisionJson(const EarlyDecisionReport& r) {
  json::array table;
  for (const EarlyDecisionRow& row : r.table) {
    table.push_back({{"signal", std::string(Name(row.signal))},
                     {"tokens", row.tokens},
                     {"ended", row.ended},
                     {"settled", row.settled},
                     {"agreement", row.agreement},
                     {"agreement_by_chance", row.chance},
                     {"strong_share", row.strong_share},
                     {"tokens_saved", row.saved},
                     {"held_back", row.released}});
  }
  const json::object report = {
      {"rows", r.rows}, {"source", r.source}, {"mean_tokens", r.mean_tokens}, {"table", table}};
  return json::serialize(report);
}

std::string EarlyDecisionText(const EarlyDecisionReport& r) {
  std::string text =
      Format("%zu answers of %.1f tokens in the mean (source: %s)\n\n", r.rows, r.mean_tokens, r.source.c_str());
  text += Format("%-16s %6s %7s %8s %10s %7s %7s %7s %10s\n", "signal", "N", "ended", "settled", "agreement", "chance",
                 "strong", "saved", "held back");
  for (const EarlyDecisionRow& row : r.table) {
    text += Format("%-16s %6zu %6.1f%% %7.1f%% %9.1f%% %6.1f%% %6.1f%% %6.1f%% %10.1f\n",
                   std::string(Name(row.signal)).c_str(), row.tokens, 100 * row.ended, 100 * row.settled,
                   100 * row.agreement, 100 * row.chance, 100 * row.strong_share, 100 * row.saved, row.released);
  }
  return text;
}

}  // namespace pointsman::offline
