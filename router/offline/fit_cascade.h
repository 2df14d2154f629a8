// router/offline/fit_cascade.h: the gate of a cascade from outcome rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "policies/gate/cascade_gate.h"
#include "router/offline/cascade_rows.h"

namespace pointsman::offline {

struct GateFitOptions {
  gate::GateKind kind = gate::GateKind::kLogistic;  // not kSignal
  std::size_t tokens = 0;                           // of the weak answers that the gate shall read; 0 = all
  bool categories = true;                           // the gain reads the rows' categories, where they have them
};

struct GateFit {
  gate::CascadeGate gate;          // fitted on all rows; its tables are of `confidence`
  std::vector<double> confidence;  // of each row, by a fit without its fold (row i is in fold i % 5)
  std::vector<double> gain;        // kGain: likewise the expected gain; else empty
};

// logistic  minimises the mean cross-entropy of C against the weak answer's quality (in [0, 1]) plus a normal prior of
//           deviation 10 on the standardised coefficients, over coefficients >= 0 (one that would be negative is 0).
// mlp       the same loss with 8 hidden units and a prior of deviation 3, from three starts, coefficients as squares.
// gain      ridge regression of strong - weak on the signals (standardised), and on the category probabilities, alone
// and
//           times max_probability (centred): a penalty for the signals and one for the categories, chosen by squared
//           error in five-fold cross-validation inside the rows given.
// The experts are black boxes: of the paper's alternation only its second half's threshold and the gate are fitted
// (docs/policies/cascade.md). Errors: fewer than 50 rows; weak answers that are all right or all wrong (logistic, mlp);
// a quality out of [0, 1] (likewise); no gain in any row. Deterministic, one thread.
Result<GateFit> FitGate(const CascadeRows& rows, const GateFitOptions& options);

// The operating points of confidences over rows, for CascadeGate::curve: 0 %, 1 %, ... 100 % of the rows to the strong
// expert, those that equal confidences allow. All three of equal length, at least one row.
std::vector<gate::OperatingPoint> OperatingPoints(std::span<const double> confidence, std::span<const double> weak,
                                                  std::span<const double> strong);

// The mean share of the weak answers' tokens that were generated when a gate that reads `tokens` of them decides, in
// (0, 1]; 1 for rows without tokens, whose distribution is known at once or at the end.
double ReadShare(const CascadeRows& rows, std::size_t tokens);

}  // namespace pointsman::offline
