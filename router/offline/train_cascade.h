// router/offline/train_cascade.h: outcome rows -> a cascade's gate and a report of how good it is.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "policies/gate/cascade_gate.h"
#include "router/offline/cascade_rows.h"

namespace pointsman::offline {

struct TrainCascadeOptions {
  CascadeRowOptions rows;
  gate::GateKind kind = gate::GateKind::kGain;
  std::vector<std::size_t> tokens{0};  // candidates, 0 = the whole answer; more than one needs rows with tokens
  // What the choice of N and of the recommended threshold maximises (Worth()).
  double cost_ratio = 0.1;            // cost of a whole weak answer over that of a strong one, >= 0
  std::optional<double> cost_weight;  // quality that one strong answer's cost is worth; unset: strong - weak quality
  double wait_weight = 0.0005;        // quality that waiting for one more weak token is worth, >= 0
  std::string source, licence;        // recorded in the file; "" = not known
  std::filesystem::path out;
  std::function<void(std::string_view, double)> progress;  // may be empty
};

// One candidate N. Every figure is of confidences by fits that did not see the row (5 folds).
struct CascadeCandidate {
  std::size_t tokens = 0;
  double auroc = 0.5, ece = 0, apgr = 0.5;  // ece: 0 for the gain
  double read_share = 1;                    // of the weak answers' tokens that are generated before the decision
  double wait = 0;                          // mean tokens before the decision
  gate::OperatingPoint best;                // of largest worth
  double worth = 0, cost = 0;               // its worth, and its mean cost in strong answers
};

struct TargetRow {
  std::string target;                         // "strong_share 0.3", "keep_quality 0.95"
  std::optional<gate::OperatingPoint> point;  // unset: not reached
  double saving = 0;                          // 1 - cost / cost of the strong expert alone
};

struct TrainCascadeReport {
  std::size_t rows = 0;
  std::uint64_t without = 0, contaminated = 0;  // rows left out
  std::string weak, strong, source;
  gate::CascadeGate gate;
  std::vector<CascadeCandidate> candidates;
  std::size_t chosen = 0;  // of the candidates
  std::vector<TargetRow> targets;
  double cost_weight = 0;
  double seconds = 0;
  std::filesystem::path out;
  std::string checksum;
};

// quality - cost_weight * cost - wait_weight * wait, where cost is ExpectedCost() in strong answers.
double Worth(const TrainCascadeOptions& options, const gate::OperatingPoint& point, double cost_weight,
             double read_share, double wait);

// Fits a gate for every candidate N, keeps the one of largest worth, writes it. Errors: those of the rows and of
// FitGate; several N without token rows; strong experts that are no better than the weak one; a file that cannot be
// written. Blocking.
Result<TrainCascadeReport> TrainCascade(const TrainCascadeOptions& options);

std::string ReportJson(const TrainCascadeReport& report);
std::string ReportText(const TrainCascadeReport& report);

}  // namespace pointsman::offline
