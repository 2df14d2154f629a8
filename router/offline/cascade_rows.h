// router/offline/cascade_rows.h: weak answers with their distributions, and what both experts' answers were worth.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "policies/evidence.h"
#include "policies/gate/weak_signals.h"
#include "router/offline/pair_rows.h"

namespace pointsman::offline {

// One token of a weak answer, as TokenSignal.
struct TokenRecord {
  double logprob = 0;
  std::optional<double> variance, entropy;
  std::vector<double> top;
};

// Which field of the rows is read.
enum class RowSignals { kAnswers, kProbs, kTokens };
std::optional<RowSignals> RowSignalsNamed(std::string_view name);  // "answers", "probs", "tokens"

struct CascadeRow {
  std::vector<TokenRecord> tokens;   // of kTokens
  std::vector<double> probs;         // of kProbs: of the options, sum 1
  std::vector<std::string> answers;  // of kAnswers: final answers of two samples or more
  double weak = 0, strong = 0;       // quality; 0 where no scores are wanted
  std::vector<float> categories;     // probabilities, of CascadeRows::categories; empty when there are none
  std::vector<double> strong_probs;  // the strong expert's distribution over the same options; may be empty
  std::optional<std::size_t> right;  // the right option, where `answer` is its letter
};

struct CascadeRows {
  std::vector<CascadeRow> rows;
  std::vector<std::string> categories;
  RowSignals signals = RowSignals::kProbs;
  std::uint64_t without = 0;       // rows left out because they lack the field
  std::uint64_t contaminated = 0;  // rows left out as by ReadScoredRows
  bool has_categories() const { return !categories.empty(); }
};

struct CascadeRowOptions {
  std::vector<std::filesystem::path> files;      // table.h, JSON lines
  std::string weak = "weak", strong = "strong";  // ScoreColumn names
  bool scores = true;                            // false: rows need none
  std::optional<RowSignals> signals;             // unset: the first of answers, probs, tokens that the first row has
  std::string label_field;                       // "": domain, task or category; a row may have none
  std::optional<HashRange> range;
  // Where set, the categories are what this says of the row's text (`text_field`, "" as ScoredOptions) and the label is
  // not read: the probabilities that a router has, in place of the truth.
  std::function<policies::Evidence(std::string_view)> classify;
  std::string text_field;
};

// Rows of docs/policies/cascade.md ("Rows"). Errors are "file:line: what": probabilities that are not a distribution, a
// token without a log-probability, no score. No row left is an error. Blocking.
Result<CascadeRows> ReadCascadeRows(const CascadeRowOptions& options);

// What a gate that reads `tokens` tokens (0 = all) would see of the row. Tokens after those are not read; the answer
// has ended when it has no more.
gate::WeakSignals SignalsOf(const CascadeRow& row, std::size_t tokens);

// The row's categories as the router would give them to the gate; points into `rows`.
policies::Evidence EvidenceOf(const CascadeRows& rows, const CascadeRow& row);

}  // namespace pointsman::offline
