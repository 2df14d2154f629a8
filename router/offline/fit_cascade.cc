#include "router/offline/fit_cascade.h"

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "router/offline/minimize.h"
#include "router/offline/random.h"

namespace pointsman::offline {
namespace {

using gate::CascadeGate;
using gate::GateKind;
using gate::Signal;

constexpr std::size_t kFolds = 5;
constexpr std::size_t kLeastRows = 50;
constexpr std::size_t kHidden = 8, kStarts = 3;
constexpr double kLogisticPrior = 1.0 / 100, kMlpPrior = 1.0 / 9;  // 1 / variance
constexpr std::size_t kSteps = 400;
constexpr double kTolerance = 1e-10;
constexpr double kLargestShift = 40;
// Penalties of the gain's regression, for signals and for categories; the last one leaves them out.
constexpr std::array<double, 6> kPenalties = {1, 10, 30, 100, 300, 1e9};

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
// -y ln sigmoid(z) - (1 - y) ln(1 - sigmoid(z))
double CrossEntropy(double z, double y) { return std::max(z, 0.0) - y * z + std::log1p(std::exp(-std::abs(z))); }

Error Bad(std::string message) { return InvalidArgument("rows", std::move(message)); }

struct Data {
  std::size_t inputs = 0, categories = 0;
  std::vector<double> x;  // row-major [n][inputs]
  std::vector<double> p;  // row-major [n][categories]
  std::vector<double> weak, strong;
  std::size_t rows() const { return weak.size(); }
};

struct Scale {
  std::vector<double> mean, deviation;
};

Scale ScaleOf(const Data& data, std::span<const std::size_t> rows) {
  Scale scale{std::vector<double>(data.inputs), std::vector<double>(data.inputs)};
  const auto n = static_cast<double>(rows.size());
  for (const std::size_t r : rows) {
    for (std::size_t i = 0; i < data.inputs; ++i) scale.mean[i] += data.x[r * data.inputs + i] / n;
  }
  for (const std::size_t r : rows) {
    for (std::size_t i = 0; i < data.inputs; ++i) {
      const double d = data.x[r * data.inputs + i] - scale.mean[i];
      scale.deviation[i] += d * d / n;
    }
  }
  // A signal that never changes: its standardised value is 0 whatever this is.
  for (double& d : scale.deviation) d = d > 1e-18 ? std::sqrt(d) : 1;
  return scale;
}

double Standard(const Data& data, const Scale& scale, std::size_t row, std::size_t input) {
  return (data.x[row * data.inputs + input] - scale.mean[input]) / scale.deviation[input];
}

void FitLogistic(const Data& data, std::span<const std::size_t> rows, CascadeGate& gate) {
  const Scale scale = ScaleOf(data, rows);
  std::vector<bool> active(data.inputs, true);
  std::vector<double> w(data.inputs + 1);
  // The problem is convex: a coefficient that the fit makes negative is 0, the most negative one first.
  while (true) {
    std::fill(w.begin(), w.end(), 0.0);
    const Objective loss = [&](std::span<const double> at, std::span<double> gradient) {
      std::fill(gradient.begin(), gradient.end(), 0.0);
      double sum = 0;
      for (const std::size_t r : rows) {
        double z = at[data.inputs];
        for (std::size_t i = 0; i < data.inputs; ++i) z += active[i] ? at[i] * Standard(data, scale, r, i) : 0;
        sum += CrossEntropy(z, data.weak[r]);
        const double d = Sigmoid(z) - data.weak[r];
        for (std::size_t i = 0; i < data.inputs; ++i) gradient[i] += active[i] ? d * Standard(data, scale, r, i) : 0;
        gradient[data.inputs] += d;
      }
      for (std::size_t i = 0; i < data.inputs; ++i) {
        sum += kLogisticPrior / 2 * at[i] * at[i];
        gradient[i] += kLogisticPrior * at[i];
      }
      return sum;
    };
    Minimize(loss, w, kSteps, kTolerance);
    const auto least = static_cast<std::size_t>(std::min_element(w.begin(), w.end() - 1) - w.begin());
    if (w[least] >= 0) break;
    active[least] = false;
  }
  gate.weights.assign(data.inputs, 0);
  gate.bias = w[data.inputs];
  for (std::size_t i = 0; i < data.inputs; ++i) {
    gate.weights[i] = w[i] / scale.deviation[i];
    gate.bias -= gate.weights[i] * scale.mean[i];
  }
}

// Parameters: roots of the output weights [H], roots of the hidden weights [H][F], hidden biases [H], output bias.
void FitMlp(const Data& data, std::span<const std::size_t> rows, CascadeGate& gate) {
  const Scale scale = ScaleOf(data, rows);
  const std::size_t f = data.inputs, hidden_at = kHidden, bias_at = kHidden + kHidden * f, last = bias_at + kHidden;
  const Objective loss = [&](std::span<const double> at, std::span<double> gradient) {
    std::fill(gradient.begin(), gradient.end(), 0.0);
    double sum = 0;
    std::array<double, kHidden> t{};
    for (const std::size_t r : rows) {
      double z = at[last];
      for (std::size_t h = 0; h < kHidden; ++h) {
        double a = at[bias_at + h];
        for (std::size_t i = 0; i < f; ++i) {
          const double root = at[hidden_at + h * f + i];
          a += root * root * Standard(data, scale, r, i);
        }
        t[h] = std::tanh(a);
        z += at[h] * at[h] * t[h];
      }
      sum += CrossEntropy(z, data.weak[r]);
      const double d = Sigmoid(z) - data.weak[r];
      gradient[last] += d;
      for (std::size_t h = 0; h < kHidden; ++h) {
        gradient[h] += d * 2 * at[h] * t[h];
        const double back = d * at[h] * at[h] * (1 - t[h] * t[h]);
        gradient[bias_at + h] += back;
        for (std::size_t i = 0; i < f; ++i) {
          gradient[hidden_at + h * f + i] += back * 2 * at[hidden_at + h * f + i] * Standard(data, scale, r, i);
        }
      }
    }
    // The prior is on the weights, which are squares: |w|^2 = sum root^4.
    for (std::size_t i = 0; i < bias_at; ++i) {
      const double square = at[i] * at[i];
      sum += kMlpPrior / 2 * square * square;
      gradient[i] += kMlpPrior * 2 * square * at[i];
    }
    return sum;
  };
  double best = std::numeric_limits<double>::infinity();
  std::vector<double> chosen;
  SplitMix random(1);
  const auto uniform = [&random] { return static_cast<double>(random.Next() >> 11U) * 0x1p-53; };
  for (std::size_t start = 0; start < kStarts; ++start) {
    std::vector<double> at(last + 1);
    for (std::size_t i = 0; i < bias_at; ++i) at[i] = 0.3 + 0.5 * uniform();
    for (std::size_t h = 0; h < kHidden; ++h) at[bias_at + h] = 3 * uniform() - 1.5;
    const double value = Minimize(loss, at, kSteps, kTolerance);
    if (value < best) {
      best = value;
      chosen = std::move(at);
    }
  }
  gate.weights.clear();
  gate.hidden_weights.clear();
  gate.hidden_bias.clear();
  gate.bias = chosen[last];
  for (std::size_t h = 0; h < kHidden; ++h) {
    gate.weights.push_back(chosen[h] * chosen[h]);
    double bias = chosen[bias_at + h];
    for (std::size_t i = 0; i < f; ++i) {
      const double root = chosen[hidden_at + h * f + i];
      gate.hidden_weights.push_back(root * root / scale.deviation[i]);
      bias -= gate.hidden_weights.back() * scale.mean[i];
    }
    gate.hidden_bias.push_back(bias);
  }
}

// The columns of the gain's regression: the signals, standardised; the category probabilities; and these times the
// standardised max_probability. All are centred.
struct Design {
  Scale scale;
  std::size_t slope = 0;     // which input max_probability is
  std::vector<double> mean;  // of the columns after the signals
  double gain_mean = 0;
};

std::size_t Columns(const Data& data) { return data.inputs + 2 * data.categories; }

Eigen::VectorXd DesignRow(const Data& data, const Design& design, std::size_t row) {
  Eigen::VectorXd x(static_cast<Eigen::Index>(Columns(data)));
  Eigen::Index at = 0;
  for (std::size_t i = 0; i < data.inputs; ++i) x[at++] = Standard(data, design.scale, row, i);
  const double certainty = Standard(data, design.scale, row, design.slope);
  for (std::size_t k = 0; k < 2 * data.categories; ++k) {
    const double p = data.p[row * data.categories + k % data.categories];
    x[at++] = (k < data.categories ? p : p * certainty) - design.mean[k];
  }
  return x;
}

Design DesignOf(const Data& data, std::span<const std::size_t> rows, std::size_t slope) {
  Design design{ScaleOf(data, rows), slope, std::vector<double>(2 * data.categories), 0};
  const auto n = static_cast<double>(rows.size());
  std::vector<double> mean(2 * data.categories);
  for (const std::size_t r : rows) {
    design.gain_mean += (data.strong[r] - data.weak[r]) / n;
    const Eigen::VectorXd x = DesignRow(data, design, r);
    for (std::size_t k = 0; k < mean.size(); ++k) mean[k] += x[static_cast<Eigen::Index>(data.inputs + k)] / n;
  }
  design.mean = std::move(mean);
  return design;
}

struct Normal {
  Eigen::MatrixXd gram;
  Eigen::VectorXd goal;
};

Normal NormalOf(const Data& data, const Design& design, std::span<const std::size_t> rows) {
  const auto size = static_cast<Eigen::Index>(Columns(data));
  Normal normal{Eigen::MatrixXd::Zero(size, size), Eigen::VectorXd::Zero(size)};
  for (const std::size_t r : rows) {
    const Eigen::VectorXd x = DesignRow(data, design, r);
    normal.gram.selfadjointView<Eigen::Lower>().rankUpdate(x);
    normal.goal += (data.strong[r] - data.weak[r] - design.gain_mean) * x;
  }
  return normal;
}

Eigen::VectorXd Solve(const Data& data, const Normal& normal, double signals, double categories) {
  Eigen::MatrixXd a = normal.gram;
  for (Eigen::Index i = 0; i < a.rows(); ++i)
    a(i, i) += i < static_cast<Eigen::Index>(data.inputs) ? signals : categories;
  return a.selfadjointView<Eigen::Lower>().ldlt().solve(normal.goal);
}

std::vector<std::size_t> Without(std::span<const std::size_t> rows, std::size_t fold, bool inside) {
  std::vector<std::size_t> kept;
  for (std::size_t k = 0; k < rows.size(); ++k) {
    if ((k % kFolds == fold) == inside) kept.push_back(rows[k]);
  }
  return kept;
}

// Penalties chosen by the squared error of rows that a fit did not see.
struct Penalties {
  double signals, categories;
};

Penalties ChoosePenalties(const Data& data, std::span<const std::size_t> rows, std::size_t slope) {
  const std::size_t choices = data.categories > 0 ? kPenalties.size() : 1;
  std::vector<double> error(kPenalties.size() * choices);
  for (std::size_t fold = 0; fold < kFolds; ++fold) {
    const std::vector<std::size_t> train = Without(rows, fold, false), test = Without(rows, fold, true);
    const Design design = DesignOf(data, train, slope);
    const Normal normal = NormalOf(data, design, train);
    for (std::size_t k = 0; k < error.size(); ++k) {
      const Eigen::VectorXd w = Solve(data, normal, kPenalties[k / choices], kPenalties[k % choices]);
      for (const std::size_t r : test) {
        const double miss = data.strong[r] - data.weak[r] - design.gain_mean - w.dot(DesignRow(data, design, r));
        error[k] += miss * miss;
      }
    }
  }
  const auto best = static_cast<std::size_t>(std::min_element(error.begin(), error.end()) - error.begin());
  return {kPenalties[best / choices], kPenalties[best % choices]};
}

void FitGain(const Data& data, std::span<const std::size_t> rows, CascadeGate& gate) {
  const auto slope = static_cast<std::size_t>(
      std::find(gate.inputs.begin(), gate.inputs.end(), Signal::kMaxProbability) - gate.inputs.begin());
  const Penalties penalties = ChoosePenalties(data, rows, slope);
  const Design design = DesignOf(data, rows, slope);
  const Eigen::VectorXd w = Solve(data, NormalOf(data, design, rows), penalties.signals, penalties.categories);
  // Back to signals as they are.
  gate.bias = design.gain_mean;
  gate.weights.assign(data.inputs, 0);
  Eigen::Index at = 0;
  for (std::size_t i = 0; i < data.inputs; ++i) {
    gate.weights[i] = w[at++] / design.scale.deviation[i];
    gate.bias -= gate.weights[i] * design.scale.mean[i];
  }
  const double deviation = design.scale.deviation[slope], middle = design.scale.mean[slope];
  gate.category_weights.assign(data.categories, 0);
  gate.category_slopes.assign(data.categories, 0);
  double mean_weight = 0, mean_slope = 0;
  for (std::size_t c = 0; c < data.categories; ++c) {
    const double level = w[at + static_cast<Eigen::Index>(c)];
    const double tilt = w[at + static_cast<Eigen::Index>(data.categories + c)];
    gate.bias -= level * design.mean[c] + tilt * design.mean[data.categories + c];
    gate.category_slopes[c] = tilt / deviation;
    gate.category_weights[c] = level - gate.category_slopes[c] * middle;
    mean_weight += design.mean[c] * gate.category_weights[c];
    mean_slope += design.mean[c] * gate.category_slopes[c];
  }
  // The average over the categories goes to the common part, so that a request without them is an average one.
  gate.bias += mean_weight;
  gate.weights[slope] += mean_slope;
  for (double& value : gate.category_weights) value -= mean_weight;
  for (double& value : gate.category_slopes) value -= mean_slope;
}

void FitCoefficients(const Data& data, std::span<const std::size_t> rows, CascadeGate& gate) {
  if (gate.kind == GateKind::kLogistic) FitLogistic(data, rows, gate);
  if (gate.kind == GateKind::kMlp) FitMlp(data, rows, gate);
  if (gate.kind == GateKind::kGain) FitGain(data, rows, gate);
}

gate::SignalSource SourceOf(const CascadeRows& rows, std::size_t tokens) {
  if (rows.signals == RowSignals::kAnswers) return gate::SignalSource::kAgreement;
  if (rows.signals == RowSignals::kProbs) return gate::SignalSource::kOptions;
  const bool whole = std::all_of(rows.rows.begin(), rows.rows.end(), [&](const CascadeRow& row) {
    return SignalsOf(row, tokens).source() == gate::SignalSource::kVocabulary;
  });
  return whole ? gate::SignalSource::kVocabulary : gate::SignalSource::kTopK;
}

std::vector<Signal> InputsOf(GateKind kind, RowSignals signals) {
  if (kind != GateKind::kGain) return {Signal::kVariance, Signal::kEntropy};
  std::vector<Signal> inputs = {Signal::kVariance, Signal::kEntropy, Signal::kMaxProbability, Signal::kMargin};
  if (signals == RowSignals::kTokens) {
    inputs.insert(inputs.end(),
                  {Signal::kMinVariance, Signal::kMinEntropy, Signal::kProbability, Signal::kMinProbability});
  }
  return inputs;
}

Result<void> Check(const CascadeRows& rows, const GateFitOptions& options) {
  if (rows.rows.size() < kLeastRows) {
    return Bad("a gate needs 50 rows or more; there are " + std::to_string(rows.rows.size()));
  }
  if (options.kind == GateKind::kGain) {
    const bool any =
        std::any_of(rows.rows.begin(), rows.rows.end(), [](const CascadeRow& row) { return row.weak != row.strong; });
    if (!any) return Bad("weak and strong are equally good in every row: there is no gain to learn");
    return {};
  }
  double sum = 0;
  for (const CascadeRow& row : rows.rows) {
    if (row.weak < 0 || row.weak > 1) return Bad("a weak quality is not in [0, 1]: only --kind gain takes such scales");
    sum += row.weak;
  }
  if (sum == 0 || sum == static_cast<double>(rows.rows.size())) {
    return Bad("the weak answers are all right or all wrong: there is nothing to tell apart");
  }
  return {};
}

std::vector<double> Quantiles(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  std::vector<double> quantiles;
  for (int i = 0; i <= 100; ++i) {
    const double at = i / 100.0 * static_cast<double>(values.size() - 1);
    const auto low = static_cast<std::size_t>(at);
    const std::size_t high = std::min(low + 1, values.size() - 1);
    quantiles.push_back(values[low] + (at - static_cast<double>(low)) * (values[high] - values[low]));
  }
  return quantiles;
}

double ShiftFor(std::span<const double> confidence, double strong_share) {
  double low = -kLargestShift, high = kLargestShift;
  for (int step = 0; step < 60; ++step) {
    const double middle = (low + high) / 2;
    double kept = 0;
    for (const double c : confidence) kept += gate::Shifted(c, middle);
    (kept / static_cast<double>(confidence.size()) < 1 - strong_share ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace

std::vector<gate::OperatingPoint> OperatingPoints(std::span<const double> confidence, std::span<const double> weak,
                                                  std::span<const double> strong) {
  const std::size_t n = confidence.size();
  const auto count = static_cast<double>(n);
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return confidence[a] < confidence[b]; });
  std::vector<double> quality(n + 1);  // of the cascade when the first k go to the strong expert
  for (const double w : weak) quality[0] += w / count;
  for (std::size_t k = 0; k < n; ++k) quality[k + 1] = quality[k] + (strong[order[k]] - weak[order[k]]) / count;
  std::vector<gate::OperatingPoint> points = {{0, 0, quality[0], kLargestShift}};
  std::size_t last = 0;
  for (std::size_t percent = 1; percent < 100; ++percent) {
    std::size_t k = percent * n / 100;  // rounded down: never more than asked for
    // Equal confidences fall on one side: the strong one's share is then smaller than asked for.
    while (k > 0 && confidence[order[k - 1]] == confidence[order[k]]) --k;
    if (k <= last) continue;
    last = k;
    const double share = static_cast<double>(k) / count;
    const double threshold = (confidence[order[k - 1]] + confidence[order[k]]) / 2;
    points.push_back({threshold, share, quality[k], ShiftFor(confidence, share)});
  }
  points.push_back({2, 1, quality[n], -kLargestShift});
  return points;
}

double ReadShare(const CascadeRows& rows, std::size_t tokens) {
  if (rows.signals != RowSignals::kTokens || tokens == 0) return 1;
  double read = 0, all = 0;
  for (const CascadeRow& row : rows.rows) {
    read += static_cast<double>(std::min(tokens, row.tokens.size()));
    all += static_cast<double>(row.tokens.size());
  }
  return read / all;
}

Result<GateFit> FitGate(const CascadeRows& rows, const GateFitOptions& options) {
  if (auto checked = Check(rows, options); !checked) return std::move(checked).error();
  GateFit fit;
  CascadeGate& gate = fit.gate;
  gate.kind = options.kind;
  gate.tokens = rows.signals == RowSignals::kTokens ? options.tokens : 0;
  gate.source = SourceOf(rows, gate.tokens);
  gate.inputs = InputsOf(options.kind, rows.signals);
  const bool categories = options.categories && options.kind == GateKind::kGain && rows.has_categories();
  if (categories) gate.categories = rows.categories;

  Data data;
  data.inputs = gate.inputs.size();
  data.categories = gate.categories.size();
  for (const CascadeRow& row : rows.rows) {
    // The source is that of all rows, so each has its values.
    const gate::SignalValues values = *SignalsOf(row, gate.tokens).Values(*gate.source);
    for (const Signal input : gate.inputs) data.x.push_back(values[static_cast<std::size_t>(input)]);
    for (std::size_t c = 0; c < data.categories; ++c) {
      // A row without a label is an average one: its own share of every category is not known.
      data.p.push_back(row.categories.empty() ? 1 / static_cast<double>(data.categories) : row.categories[c]);
    }
    data.weak.push_back(row.weak);
    data.strong.push_back(row.strong);
  }
  std::vector<std::size_t> all(data.rows());
  std::iota(all.begin(), all.end(), 0U);

  const auto each = [&](const CascadeGate& fitted, std::size_t row) {
    const gate::WeakSignals signals = SignalsOf(rows.rows[row], gate.tokens);
    const policies::Evidence evidence = EvidenceOf(rows, rows.rows[row]);
    return options.kind == GateKind::kGain ? gate::ExpectedGain(fitted, *signals.Values(*gate.source), &evidence)
                                           : gate::Confidence(fitted, signals, nullptr);
  };
  std::vector<double> out(data.rows());
  for (std::size_t fold = 0; fold < kFolds; ++fold) {
    CascadeGate fitted = gate;
    FitCoefficients(data, Without(all, fold, false), fitted);
    for (const std::size_t row : Without(all, fold, true)) out[row] = each(fitted, row);
  }
  FitCoefficients(data, all, gate);
  fit.confidence = out;
  if (options.kind == GateKind::kGain) {
    fit.gain = out;
    gate.gain_quantiles = Quantiles(out);
    for (std::size_t row = 0; row < out.size(); ++row)
      fit.confidence[row] = gate::RankAbove(gate.gain_quantiles, out[row]);
  }
  gate.curve = OperatingPoints(fit.confidence, data.weak, data.strong);
  gate.weak_quality = gate.curve.front().quality;
  gate.strong_quality = gate.curve.back().quality;
  gate.read_share = ReadShare(rows, gate.tokens);
  return fit;
}

}  // namespace pointsman::offline
