#include "router/offline/train_cascade.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "router/classifier/cascade_file.h"
#include "router/offline/binary_metrics.h"
#include "router/offline/fit_cascade.h"
#include "router/offline/format.h"
#include "router/offline/pair_curve.h"
#include "router/version.h"

namespace pointsman::offline {
namespace {

double MeanWait(const CascadeRows& rows, std::size_t tokens) {
  double sum = 0;
  for (const CascadeRow& row : rows.rows) {
    sum += static_cast<double>(tokens == 0 ? row.tokens.size() : std::min(tokens, row.tokens.size()));
  }
  return sum / static_cast<double>(rows.rows.size());
}

CascadeCandidate Measure(const TrainCascadeOptions& options, const CascadeRows& rows, const GateFit& fit,
                         double cost_weight) {
  CascadeCandidate candidate;
  candidate.tokens = fit.gate.tokens;
  std::vector<double> right, escalate, gains;
  for (std::size_t r = 0; r < rows.rows.size(); ++r) {
    right.push_back(rows.rows[r].weak);
    gains.push_back(rows.rows[r].strong - rows.rows[r].weak);
    escalate.push_back(fit.gain.empty() ? -fit.confidence[r] : fit.gain[r]);
  }
  candidate.auroc = Auroc(fit.confidence, right);
  if (fit.gain.empty()) candidate.ece = CalibrationError(fit.confidence, right);
  candidate.apgr = Figures(escalate, gains).apgr;
  candidate.read_share = fit.gate.read_share;
  candidate.wait = MeanWait(rows, fit.gate.tokens);
  candidate.worth = -std::numeric_limits<double>::infinity();
  for (const gate::OperatingPoint& point : fit.gate.curve) {
    const double worth = Worth(options, point, cost_weight, candidate.read_share, candidate.wait);
    if (worth <= candidate.worth) continue;
    candidate.worth = worth;
    candidate.best = point;
    candidate.cost = gate::ExpectedCost(point.strong_share, candidate.read_share, options.cost_ratio, 1);
  }
  return candidate;
}

std::vector<TargetRow> Targets(const TrainCascadeOptions& options, const gate::CascadeGate& gate) {
  std::vector<TargetRow> targets;
  const auto add = [&](std::string name, const Result<gate::OperatingPoint>& point) {
    TargetRow& row = targets.emplace_back();
    row.target = std::move(name);
    if (!point) return;
    row.point = *point;
    row.saving = 1 - gate::ExpectedCost(point->strong_share, gate.read_share, options.cost_ratio, 1);
  };
  for (const double share : {0.1, 0.2, 0.3, 0.5}) {
    add(Format("strong_share %.2g", share), gate::ThresholdForShare(gate, share));
  }
  for (const double part : {0.8, 0.9, 0.95, 0.98, 1.0}) {
    add(Format("keep_quality %.2g", part), gate::ThresholdForQuality(gate, part));
  }
  return targets;
}

v1::CascadeArtifact MakeArtifact(const TrainCascadeOptions& options, const TrainCascadeReport& report) {
  v1::CascadeArtifact artifact;
  artifact.set_version(classifier::kCascadeVersion);
  artifact.set_created_by(std::string("pointsman ") + kVersion);
  v1::Source& source = *artifact.add_sources();
  source.set_name(options.source);
  source.set_licence(options.licence.empty() ? "NOASSERTION" : options.licence);
  source.set_rows(static_cast<std::uint32_t>(report.rows));
  *artifact.mutable_gate() = classifier::ToProto(report.gate);
  const CascadeCandidate& chosen = report.candidates[report.chosen];
  v1::CascadeReport& figures = *artifact.mutable_report();
  figures.set_rows(static_cast<std::uint32_t>(report.rows));
  figures.set_auroc(chosen.auroc);
  figures.set_ece(chosen.ece);
  figures.set_apgr(chosen.apgr);
  return artifact;
}

}  // namespace

double Worth(const TrainCascadeOptions& options, const gate::OperatingPoint& point, double cost_weight,
             double read_share, double wait) {
  const double cost = gate::ExpectedCost(point.strong_share, read_share, options.cost_ratio, 1);
  return point.quality - cost_weight * cost - options.wait_weight * wait;
}

Result<TrainCascadeReport> TrainCascade(const TrainCascadeOptions& options) {
  auto rows = ReadCascadeRows(options.rows);
  if (!rows) return std::move(rows).error();
  if (rows->signals != RowSignals::kTokens && (options.tokens.size() != 1 || options.tokens.front() != 0)) {
    return InvalidArgument("tokens", "--tokens needs rows with tokens; these have one distribution for each answer");
  }
  const auto start = std::chrono::steady_clock::now();
  TrainCascadeReport report;
  report.rows = rows->rows.size();
  report.without = rows->without;
  report.contaminated = rows->contaminated;
  report.weak = options.rows.weak;
  report.strong = options.rows.strong;
  double gap = 0;
  for (const CascadeRow& row : rows->rows) gap += (row.strong - row.weak) / static_cast<double>(rows->rows.size());
  if (gap <= 0) {
    return InvalidArgument("rows", "the strong expert (" + options.rows.strong + ") is no better than the weak one (" +
                                       options.rows.weak + ") on these rows: a cascade has nothing to gain");
  }
  report.cost_weight = options.cost_weight.value_or(gap);
  for (std::size_t i = 0; i < options.tokens.size(); ++i) {
    if (options.progress) {
      options.progress("fitting", static_cast<double>(i) / static_cast<double>(options.tokens.size()));
    }
    auto fit = FitGate(*rows, {options.kind, options.tokens[i], true});
    if (!fit) return std::move(fit).error();
    report.candidates.push_back(Measure(options, *rows, *fit, report.cost_weight));
    if (i == 0 || report.candidates[i].worth > report.candidates[report.chosen].worth) {
      report.chosen = i;
      report.gate = std::move(fit->gate);
    }
  }
  report.gate.weak = report.weak;
  report.gate.strong = report.strong;
  report.source = Name(*report.gate.source);
  report.targets = Targets(options, report.gate);
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (const std::string flaw = gate::Flaw(report.gate); !flaw.empty()) {
    return Internal("the fitted gate cannot be served: " + flaw);
  }
  auto written = classifier::WriteCascade(options.out, MakeArtifact(options, report));
  if (!written) return std::move(written).error();
  report.out = options.out;
  report.checksum = *std::move(written);
  return report;
}

}  // namespace pointsman::offline
