// router/offline/early_decision.h: what a gate that reads only the first N tokens of a weak answer decides, against one
// that reads the whole answer, on answers that were really generated.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"
#include "policies/gate/weak_signals.h"
#include "router/offline/cascade_rows.h"

namespace pointsman::offline {

struct EarlyDecisionOptions {
  CascadeRowOptions rows;                      // its scores are not read
  std::vector<std::size_t> tokens{8, 16, 32};  // N, each at least 1
  double strong_share = 0.3;                   // of the answers that escalate, (0, 1)
};

struct EarlyDecisionRow {
  gate::Signal signal;
  std::size_t tokens = 0;
  double ended = 0;         // share of answers that end within N tokens: nothing is decided early there
  double settled = 0;       // share whose decision after N tokens is that after every later token count of the list and
                            // after the whole answer
  double agreement = 0;     // share whose decision after N tokens is the whole answer's
  double chance = 0;        // the agreement of two decisions of these shares by chance
  double strong_share = 0;  // share that escalates after N tokens
  double saved = 0;         // share of all weak tokens that are not generated, because the answer was aborted after N
  double released = 0;      // mean tokens that a kept answer is held back
};

struct EarlyDecisionReport {
  std::size_t rows = 0;
  std::string source;
  double mean_tokens = 0;
  std::vector<EarlyDecisionRow> table;  // by signal, then N
};

// For each signal and N a threshold of its own that escalates `strong_share`: the quantile of the answers of the other
// half (rows by turns), so no answer sets its own threshold. Errors: those of the rows; rows without tokens; fewer than
// 20. Blocking.
Result<EarlyDecisionReport> EvaluateEarlyDecision(const EarlyDecisionOptions& options);

std::string EarlyDecisionJson(const EarlyDecisionReport& report);
std::string EarlyDecisionText(const EarlyDecisionReport& report);

}  // namespace pointsman::offline
