#include "router/offline/evaluate_cascade.h"

#include <algorithm>
#include <cmath>

#include "router/offline/binary_metrics.h"
#include "router/offline/fit_cascade.h"
#include "router/offline/random.h"

namespace pointsman::offline {
namespace {

using gate::CascadeGate;
using gate::GateKind;
using gate::Signal;

constexpr std::size_t kCurveSteps = 20;

// A way to judge the test rows.
struct Judge {
  std::string name;
  CascadeGate gate;
  std::vector<double> confidence, score;  // of the test rows; the highest score goes to the strong expert first
};

struct TestRows {
  const CascadeRows& rows;
  std::vector<double> weak, strong, gains;
};

Judge SignalJudge(Signal signal, const CascadeRows& rows) {
  Judge judge;
  judge.gate.inputs = {signal};
  judge.name = rows.signals == RowSignals::kAnswers && signal == Signal::kMaxProbability ? "agreement" : Name(signal);
  return judge;
}

std::vector<Signal> SignalsToShow(RowSignals signals) {
  std::vector<Signal> shown = {Signal::kMaxProbability, Signal::kMargin, Signal::kEntropy, Signal::kVariance};
  if (signals == RowSignals::kTokens) {
    shown.insert(shown.end(),
                 {Signal::kProbability, Signal::kMinProbability, Signal::kMinEntropy, Signal::kMinVariance});
  }
  return shown;
}

void JudgeRows(const TestRows& test, std::size_t tokens, Judge& judge) {
  for (const CascadeRow& row : test.rows.rows) {
    const gate::WeakSignals signals = SignalsOf(row, tokens);
    const policies::Evidence evidence = EvidenceOf(test.rows, row);
    const double confidence = gate::Confidence(judge.gate, signals, &evidence);
    judge.confidence.push_back(confidence);
    // The rank has steps at its ends; the gain itself orders the rows beyond them.
    const auto values = signals.Values(judge.gate.source.value_or(signals.source()));
    judge.score.push_back(judge.gate.kind == GateKind::kGain && values
                              ? gate::ExpectedGain(judge.gate, *values, &evidence)
                              : -confidence);
  }
}

// The curve's quality at `share`, between its points.
double QualityAt(const std::vector<CurvePoint>& curve, double share, double weak, double strong) {
  std::size_t i = 1;
  while (i + 1 < curve.size() && curve[i].strong_share < share) ++i;
  const CurvePoint &from = curve[i - 1], &to = curve[i];
  const double part = (share - from.strong_share) / (to.strong_share - from.strong_share);
  return weak + (strong - weak) * (from.recovered + part * (to.recovered - from.recovered));
}

StochasticFigures Draw(const Judge& judge, const TestRows& test, const EvaluateCascadeOptions& options) {
  StochasticFigures figures;
  const auto n = static_cast<double>(judge.confidence.size());
  for (std::size_t r = 0; r < judge.confidence.size(); ++r) {
    const double c = judge.confidence[r];
    figures.mean_confidence += c / n;
    figures.expected_quality += (c * test.weak[r] + (1 - c) * test.strong[r]) / n;
  }
  figures.expected_cost = gate::ExpectedCost(1 - figures.mean_confidence, 1, options.cost_ratio, 1);
  double squares = 0;
  for (std::size_t draw = 0; draw < kDraws; ++draw) {
    double cost = 0, quality = 0;
    for (std::size_t r = 0; r < judge.confidence.size(); ++r) {
      const std::string id = std::to_string(options.seed) + "/" + std::to_string(draw) + "/" + std::to_string(r);
      const bool keep = gate::KeepByDraw(judge.confidence[r], gate::DrawOf(id));
      cost += (options.cost_ratio + (keep ? 0 : 1)) / n;
      quality += (keep ? test.weak[r] : test.strong[r]) / n;
    }
    figures.simulated_cost += cost / kDraws;
    figures.simulated_quality += quality / kDraws;
    squares += (cost - figures.expected_cost) * (cost - figures.expected_cost) / kDraws;
  }
  figures.deviation = std::sqrt(squares);
  return figures;
}

// Whether the mixture's likeliest option is the right one, when the strong expert has this distribution.
bool MixtureRight(double confidence, const CascadeRow& row, std::span<const double> strong) {
  std::vector<double> mixed(row.probs.size());
  gate::Mixture(confidence, row.probs, strong, mixed);
  return static_cast<std::size_t>(std::max_element(mixed.begin(), mixed.end()) - mixed.begin()) == *row.right;
}

std::optional<MixtureFigures> Mix(const Judge& judge, const TestRows& test) {
  MixtureFigures figures;
  figures.distribution = true;
  double low = 0, high = 0;
  for (std::size_t r = 0; r < test.rows.rows.size(); ++r) {
    const CascadeRow& row = test.rows.rows[r];
    if (!row.right) continue;
    ++figures.rows;
    const double c = judge.confidence[r];
    if (!row.strong_probs.empty()) {
      const bool right = MixtureRight(c, row, row.strong_probs);
      low += right;
      high += right;
      continue;
    }
    figures.distribution = false;
    bool all = true, any = false;
    // One-hot on the right option, or on any of the wrong ones.
    for (std::size_t option = 0; option < row.probs.size(); ++option) {
      if ((option == *row.right) != (row.strong >= 0.5)) continue;
      std::vector<double> one_hot(row.probs.size());
      one_hot[option] = 1;
      const bool right = MixtureRight(c, row, one_hot);
      all = all && right;
      any = any || right;
    }
    low += all;
    high += any;
  }
  if (figures.rows == 0) return std::nullopt;
  figures.low = low / static_cast<double>(figures.rows);
  figures.high = high / static_cast<double>(figures.rows);
  return figures;
}

std::vector<RealisedTarget> Realise(const Judge& judge, const TestRows& test) {
  std::vector<RealisedTarget> targets;
  const auto add = [&](const char* name, const Result<gate::OperatingPoint>& point) {
    if (!point) return;
    RealisedTarget target{name, point->threshold, 0, 0, point->strong_share, point->quality};
    const auto n = static_cast<double>(judge.confidence.size());
    for (std::size_t r = 0; r < judge.confidence.size(); ++r) {
      const bool keep = gate::KeepByThreshold(judge.confidence[r], point->threshold);
      target.strong_share += keep ? 0 : 1 / n;
      target.quality += (keep ? test.weak[r] : test.strong[r]) / n;
    }
    targets.push_back(std::move(target));
  };
  if (judge.gate.curve.empty()) return targets;
  add("strong_share 0.3", gate::ThresholdForShare(judge.gate, 0.3));
  add("strong_share 0.5", gate::ThresholdForShare(judge.gate, 0.5));
  add("keep_quality 0.9", gate::ThresholdForQuality(judge.gate, 0.9));
  add("keep_quality 0.95", gate::ThresholdForQuality(judge.gate, 0.95));
  return targets;
}

// The same resamples for all methods, so that they can be compared.
void AddSpreads(const std::vector<Judge>& judges, const TestRows& test, const EvaluateCascadeOptions& options,
                std::vector<CascadeMethod>& methods) {
  SplitMix random(options.seed);
  const std::size_t n = test.gains.size();
  std::vector<std::vector<double>> apgr(judges.size()), cpt50(judges.size()), cpt80(judges.size()),
      difference(judges.size());
  std::vector<std::size_t> drawn(n);
  std::vector<double> gains(n), scores(n);
  for (std::uint32_t resample = 0; resample < options.resamples; ++resample) {
    double gap = 0;
    for (std::size_t i = 0; i < n; ++i) {
      drawn[i] = random.Below(n);
      gap += gains[i] = test.gains[drawn[i]];
    }
    if (gap <= 0) continue;
    for (std::size_t m = 0; m < judges.size(); ++m) {
      for (std::size_t i = 0; i < n; ++i) scores[i] = judges[m].score[drawn[i]];
      const PairFigures figures = Figures(scores, gains);
      apgr[m].push_back(figures.apgr);
      cpt50[m].push_back(figures.cpt50);
      cpt80[m].push_back(figures.cpt80);
      difference[m].push_back(figures.apgr - apgr[0].back());
    }
    if (options.progress && resample % 50 == 0) {
      options.progress("bootstrap", static_cast<double>(resample) / options.resamples);
    }
  }
  for (std::size_t m = 0; m < judges.size(); ++m) {
    const auto counted = static_cast<std::uint32_t>(apgr[m].size());
    methods[m].spreads = {SpreadOf(std::move(apgr[m])), SpreadOf(std::move(cpt50[m])), SpreadOf(std::move(cpt80[m])),
                          counted};
    methods[m].against_first = SpreadOf(std::move(difference[m]));
  }
}

Result<std::vector<Judge>> MakeJudges(const CascadeRows& train, const EvaluateCascadeOptions& options) {
  std::vector<Judge> judges;
  for (const Signal signal : SignalsToShow(train.signals)) judges.push_back(SignalJudge(signal, train));
  struct Fitted {
    const char* name;
    GateKind kind;
    bool categories;
  };
  std::vector<Fitted> kinds = {
      {"logistic", GateKind::kLogistic, false}, {"mlp", GateKind::kMlp, false}, {"gain", GateKind::kGain, false}};
  if (train.has_categories()) kinds.push_back({"gain with categories", GateKind::kGain, true});
  for (const Fitted& kind : kinds) {
    if (options.progress) options.progress("fitting", 0);
    auto fit = FitGate(train, {kind.kind, options.tokens, kind.categories});
    if (!fit) return std::move(fit).error();
    judges.push_back({kind.name, std::move(fit->gate), {}, {}});
  }
  return judges;
}

}  // namespace

Result<EvaluateCascadeReport> EvaluateCascade(const EvaluateCascadeOptions& options) {
  auto train = ReadCascadeRows(options.train);
  if (!train) return std::move(train).error();
  CascadeRowOptions same = options.test;
  same.signals = train->signals;
  auto rows = ReadCascadeRows(same);
  if (!rows) return std::move(rows).error();
  TestRows test{*rows, {}, {}, {}};
  EvaluateCascadeReport report;
  report.train_rows = train->rows.size();
  report.rows = rows->rows.size();
  report.without = rows->without;
  report.weak = options.test.weak;
  report.strong = options.test.strong;
  report.cost_ratio = options.cost_ratio;
  report.categories = train->categories.size();
  const auto n = static_cast<double>(report.rows);
  for (const CascadeRow& row : rows->rows) {
    test.weak.push_back(row.weak);
    test.strong.push_back(row.strong);
    test.gains.push_back(row.strong - row.weak);
    report.weak_quality += row.weak / n;
    report.strong_quality += row.strong / n;
    report.oracle_quality += std::max(row.weak, row.strong) / n;
  }
  if (report.strong_quality <= report.weak_quality) {
    return InvalidArgument("test", "the strong expert is no better than the weak one on the test rows (" +
                                       std::to_string(report.strong_quality) + ", " +
                                       std::to_string(report.weak_quality) + "): there is no gap to recover");
  }
  auto judges = MakeJudges(*train, options);
  if (!judges) return std::move(judges).error();
  report.source = Name(*judges->back().gate.source);
  report.oracle_apgr = Figures(test.gains, test.gains).apgr;
  for (Judge& judge : *judges) {
    JudgeRows(test, options.tokens, judge);
    CascadeMethod& method = report.methods.emplace_back();
    method.name = judge.name;
    method.auroc = Auroc(judge.confidence, test.weak);
    method.auroc_spread = BootstrapAuroc(judge.confidence, test.weak, options.resamples, options.seed);
    if (judge.gate.kind != GateKind::kGain) method.ece = CalibrationError(judge.confidence, test.weak);
    const std::vector<CurvePoint> curve = PairCurve(judge.score, test.gains);
    method.figures = Figures(judge.score, test.gains);
    for (std::size_t step = 0; step <= kCurveSteps; ++step) {
      method.quality.push_back(
          QualityAt(curve, static_cast<double>(step) / kCurveSteps, report.weak_quality, report.strong_quality));
    }
    method.stochastic = Draw(judge, test, options);
    if (rows->signals == RowSignals::kProbs) method.mixture = Mix(judge, test);
    method.targets = Realise(judge, test);
  }
  AddSpreads(*judges, test, options, report.methods);
  return report;
}

}  // namespace pointsman::offline
