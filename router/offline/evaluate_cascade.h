// router/offline/evaluate_cascade.h: ways to tell when a weak expert's answer should be kept, side by side: fitted on
// some rows, measured on others (Mowst, arXiv 2311.05185; figures as RouteLLM, arXiv 2406.18665).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "policies/gate/cascade_gate.h"
#include "router/offline/cascade_rows.h"
#include "router/offline/pair_curve.h"

namespace pointsman::offline {

struct EvaluateCascadeOptions {
  CascadeRowOptions train, test;
  std::size_t tokens = 0;   // of the weak answers that are read; 0 = all
  double cost_ratio = 0.1;  // cost of a weak answer over that of a strong one
  std::uint32_t resamples = 1000;
  std::uint64_t seed = 1;
  std::function<void(std::string_view, double)> progress;  // may be empty
};

// The stochastic form, drawn kDraws times for every test row.
struct StochasticFigures {
  double mean_confidence = 0;                    // E[C]
  double expected_cost = 0, simulated_cost = 0;  // in strong answers; expected: cost_ratio + 1 - E[C]
  double expected_quality = 0, simulated_quality = 0;
  double deviation = 0;  // of the simulated cost over the draws
};
inline constexpr std::size_t kDraws = 50;  // the paper's m_times

// Mowst*: both distributions combined by C; the answer is the likeliest option. Where the rows have no strong
// distribution it is taken as certain of its answer; which option a wrong strong answer was is not known, so the
// accuracy lies between `low` (the wrong option that the weak expert thinks likeliest) and `high` (least likely).
struct MixtureFigures {
  double low = 0, high = 0;
  bool distribution = false;  // the rows have the strong expert's: low = high
  std::size_t rows = 0;       // whose right option is known
};

struct RealisedTarget {
  std::string target;  // set on the training rows
  double threshold = 0;
  double strong_share = 0, quality = 0;                    // on the test rows
  double expected_strong_share = 0, expected_quality = 0;  // as the training rows promised
};

struct CascadeMethod {
  std::string name;    // "max_probability", "logistic", "gain with categories", ...
  double auroc = 0.5;  // of "the weak answer is right"
  Spread auroc_spread;
  std::optional<double> ece;  // of C as that probability; unset for a gain, whose C is a rank
  PairFigures figures;
  PairSpreads spreads;
  Spread against_first;         // APGR minus that of the first method, on the same resamples
  std::vector<double> quality;  // of the cascade at strong shares 0, 0.05, ... 1
  StochasticFigures stochastic;
  std::optional<MixtureFigures> mixture;  // rows with option probabilities
  std::vector<RealisedTarget> targets;    // fitted gates
};

struct EvaluateCascadeReport {
  std::size_t train_rows = 0, rows = 0;
  std::uint64_t without = 0;  // test rows left out
  std::string weak, strong, source;
  std::size_t categories = 0;
  double weak_quality = 0, strong_quality = 0, oracle_quality = 0, oracle_apgr = 0;
  std::vector<CascadeMethod> methods;
  double cost_ratio = 0;
};

// Errors: those of the rows and of FitGate; a strong expert that is no better than the weak one on the test rows; train
// and test rows of different sources. Blocking.
Result<EvaluateCascadeReport> EvaluateCascade(const EvaluateCascadeOptions& options);

std::string CascadeReportJson(const EvaluateCascadeReport& report);
std::string CascadeReportText(const EvaluateCascadeReport& report);
std::string CascadePage(const EvaluateCascadeReport& report);  // one HTML page with the curves

}  // namespace pointsman::offline
