#include "policies/gate/cascade_gate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

namespace pointsman::gate {
namespace {

constexpr std::array<std::string_view, 4> kKindNames = {"signal", "logistic", "mlp", "gain"};
constexpr std::size_t kQuantiles = 101;
constexpr std::size_t kMaxHidden = 64, kMaxCategories = 4096;

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

double At(const SignalValues& values, Signal signal) { return values[static_cast<std::size_t>(signal)]; }

SignalSource SourceOf(const CascadeGate& gate, const WeakSignals& signals) {
  return gate.source.value_or(signals.source());
}

bool AllFinite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
}
bool AnyNegative(const std::vector<double>& values) {
  return std::any_of(values.begin(), values.end(), [](double value) { return value < 0; });
}

std::string FlawOfCurve(const CascadeGate& gate) {
  if (gate.curve.size() < 2 || gate.curve.size() > kQuantiles) {
    return "its curve has " + std::to_string(gate.curve.size()) + " points (2 to 101)";
  }
  if (gate.curve.front().strong_share != 0 || gate.curve.back().strong_share != 1) {
    return "its curve does not go from share 0 to share 1";
  }
  for (std::size_t i = 0; i < gate.curve.size(); ++i) {
    const OperatingPoint& point = gate.curve[i];
    if (!std::isfinite(point.threshold) || !std::isfinite(point.quality) || !std::isfinite(point.shift)) {
      return "a number of its curve is not finite";
    }
    if (!(point.strong_share >= 0 && point.strong_share <= 1)) return "a share of its curve is not in [0, 1]";
    if (i > 0 &&
        (point.strong_share < gate.curve[i - 1].strong_share || point.threshold < gate.curve[i - 1].threshold)) {
      return "its curve does not ascend";
    }
  }
  if (!std::isfinite(gate.weak_quality) || !std::isfinite(gate.strong_quality)) return "a quality is not finite";
  if (!(gate.read_share > 0 && gate.read_share <= 1)) return "the share that it reads is not in (0, 1]";
  return "";
}

std::string FlawOfGain(const CascadeGate& gate) {
  if (gate.categories.size() != gate.category_weights.size() || gate.categories.size() != gate.category_slopes.size())
    return "its categories and their weights differ in number";
  if (gate.categories.size() > kMaxCategories) return "it has more than 4096 categories";
  const std::set<std::string> distinct(gate.categories.begin(), gate.categories.end());
  if (distinct.size() != gate.categories.size() || distinct.contains("")) {
    return "its category names are empty or not distinct";
  }
  if (gate.gain_quantiles.size() != kQuantiles) return "its gain table has the wrong size";
  if (!AllFinite(gate.category_weights) || !AllFinite(gate.category_slopes) || !AllFinite(gate.gain_quantiles))
    return "a number in it is not finite";
  if (!std::is_sorted(gate.gain_quantiles.begin(), gate.gain_quantiles.end())) return "its gain table does not ascend";
  return "";
}

Error NoCurve() {
  return InvalidArgument("cascade",
                         "a signal has no calibration to read a threshold from: give `threshold`, or a gate that "
                         "`pointsman train cascade` made");
}

}  // namespace

std::string_view Name(GateKind kind) { return kKindNames.at(static_cast<std::size_t>(kind)); }

std::optional<GateKind> KindNamed(std::string_view name) {
  const auto found = std::find(kKindNames.begin(), kKindNames.end(), name);
  if (found == kKindNames.end()) return std::nullopt;
  return static_cast<GateKind>(found - kKindNames.begin());
}

Result<CascadeGate> SignalGate(std::string_view signal, std::size_t tokens) {
  CascadeGate gate;
  gate.tokens = tokens;
  if (signal == Name(SignalSource::kAgreement)) {
    gate.source = SignalSource::kAgreement;
    gate.inputs = {Signal::kMaxProbability};
    return gate;
  }
  const std::optional<Signal> named = SignalNamed(signal);
  if (!named) {
    std::string names = "agreement";
    for (std::size_t s = 0; s < kSignals; ++s) names += ", " + std::string(Name(static_cast<Signal>(s)));
    return InvalidArgument("cascade.signal", "no signal \"" + std::string(signal) + "\" (there are " + names + ")");
  }
  gate.inputs = {*named};
  return gate;
}

std::string Flaw(const CascadeGate& gate) {
  if (gate.inputs.empty() || gate.inputs.size() > kSignals) {
    return "it has " + std::to_string(gate.inputs.size()) + " inputs (1 to 8)";
  }
  if (std::set<Signal>(gate.inputs.begin(), gate.inputs.end()).size() != gate.inputs.size()) {
    return "two of its inputs are the same signal";
  }
  if (gate.kind == GateKind::kSignal) return gate.inputs.size() == 1 ? "" : "a signal has one input";
  if (!gate.source || *gate.source == SignalSource::kNone) return "it does not say which source it was fitted on";
  if (!AllFinite(gate.weights) || !std::isfinite(gate.bias) || !AllFinite(gate.hidden_weights) ||
      !AllFinite(gate.hidden_bias)) {
    return "a number in it is not finite";
  }
  const bool mlp = gate.kind == GateKind::kMlp;
  if (mlp) {
    const std::size_t hidden = gate.hidden_bias.size();
    if (hidden == 0 || hidden > kMaxHidden) return "it has " + std::to_string(hidden) + " hidden units (1 to 64)";
    if (gate.weights.size() != hidden || gate.hidden_weights.size() != hidden * gate.inputs.size()) {
      return "its layers do not fit together";
    }
  } else if (gate.weights.size() != gate.inputs.size()) {
    return "its inputs and weights differ in number";
  }
  if (gate.kind != GateKind::kGain && (AnyNegative(gate.weights) || AnyNegative(gate.hidden_weights))) {
    return "a coefficient is negative: its confidence would fall where a signal rises";
  }
  if (gate.kind == GateKind::kGain) {
    if (std::string flaw = FlawOfGain(gate); !flaw.empty()) return flaw;
  }
  return FlawOfCurve(gate);
}

double RankAbove(std::span<const double> quantiles, double gain) {
  const auto [low, high] = std::equal_range(quantiles.begin(), quantiles.end(), gain);
  const auto last = static_cast<double>(quantiles.size() - 1);
  double position = 0;
  if (low != high) {
    position = (static_cast<double>(low - quantiles.begin()) + static_cast<double>(high - quantiles.begin() - 1)) / 2;
  } else if (low == quantiles.end()) {
    position = last;
  } else if (low != quantiles.begin()) {
    const double below = *(low - 1), above = *low;
    position = static_cast<double>(low - quantiles.begin() - 1) + (gain - below) / (above - below);
  }
  return 1 - position / last;
}

bool Readable(const CascadeGate& gate, const WeakSignals& signals) {
  return signals.Values(SourceOf(gate, signals)).has_value();
}

double ExpectedGain(const CascadeGate& gate, const SignalValues& values, const policies::Evidence* evidence) {
  double gain = gate.bias;
  for (std::size_t i = 0; i < gate.inputs.size(); ++i) gain += gate.weights[i] * At(values, gate.inputs[i]);
  if (evidence == nullptr) return gain;
  for (std::size_t c = 0; c < evidence->categories.size() && c < evidence->probabilities.size(); ++c) {
    std::size_t k = c;  // a gate that was fitted with this classifier has its order
    if (c >= gate.categories.size() || gate.categories[c] != evidence->categories[c]) {
      k = static_cast<std::size_t>(std::find(gate.categories.begin(), gate.categories.end(), evidence->categories[c]) -
                                   gate.categories.begin());
    }
    if (k == gate.categories.size()) continue;
    gain += evidence->probabilities[c] *
            (gate.category_weights[k] + gate.category_slopes[k] * At(values, Signal::kMaxProbability));
  }
  return gain;
}

double Confidence(const CascadeGate& gate, const WeakSignals& signals, const policies::Evidence* evidence) {
  const std::optional<SignalValues> values = signals.Values(SourceOf(gate, signals));
  if (!values) return 0;
  if (gate.kind == GateKind::kSignal) return At(*values, gate.inputs.front());
  if (gate.kind == GateKind::kGain) return RankAbove(gate.gain_quantiles, ExpectedGain(gate, *values, evidence));
  double logit = gate.bias;
  if (gate.kind == GateKind::kLogistic) {
    for (std::size_t i = 0; i < gate.inputs.size(); ++i) logit += gate.weights[i] * At(*values, gate.inputs[i]);
    return Sigmoid(logit);
  }
  const std::size_t inputs = gate.inputs.size();
  for (std::size_t h = 0; h < gate.hidden_bias.size(); ++h) {
    double sum = gate.hidden_bias[h];
    for (std::size_t i = 0; i < inputs; ++i) sum += gate.hidden_weights[h * inputs + i] * At(*values, gate.inputs[i]);
    logit += gate.weights[h] * std::tanh(sum);
  }
  return Sigmoid(logit);
}

Result<OperatingPoint> ThresholdForShare(const CascadeGate& gate, double share) {
  if (gate.curve.empty()) return NoCurve();
  if (!(share >= 0 && share <= 1)) return InvalidArgument("cascade.strong_share", "the share is not in [0, 1]");
  // A hair more, so that 0.3 finds the point that was measured as 300 of 1,000 rows.
  const auto above = std::find_if(gate.curve.begin(), gate.curve.end(),
                                  [share](const OperatingPoint& point) { return point.strong_share > share + 1e-9; });
  return *(above - 1);  // the first point's share is 0
}

Result<OperatingPoint> ThresholdForQuality(const CascadeGate& gate, double part) {
  if (gate.curve.empty()) return NoCurve();
  if (!(part > 0 && part <= 1)) return InvalidArgument("cascade.keep_quality", "the part is not in (0, 1]");
  const double wanted = part * gate.strong_quality - 1e-9;
  for (const OperatingPoint& point : gate.curve) {
    if (point.quality >= wanted) return point;
  }
  return InvalidArgument("cascade.keep_quality", "no share of strong answers had so much quality on the training rows");
}

double ExpectedCost(double strong_share, double read_share, double weak_cost, double strong_cost) {
  return (1 - strong_share + strong_share * read_share) * weak_cost + strong_share * strong_cost;
}

void Mixture(double confidence, std::span<const double> weak, std::span<const double> strong, std::span<double> out) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = confidence * weak[i] + (1 - confidence) * strong[i];
}

double DrawOf(std::string_view request_id) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;  // FNV-1a
  for (const char c : request_id) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  // FNV's high bits depend little on the last bytes: the finaliser of splitmix64 (Steele, Lea, Flood 2014) mixes them.
  hash = (hash ^ (hash >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  hash = (hash ^ (hash >> 27U)) * 0x94D049BB133111EBULL;
  hash ^= hash >> 31U;
  return static_cast<double>(hash >> 11U) * 0x1p-53;
}

double Shifted(double confidence, double shift) {
  if (confidence <= 0 || confidence >= 1) return std::clamp(confidence, 0.0, 1.0);
  return Sigmoid(std::log(confidence / (1 - confidence)) + shift);
}

}  // namespace pointsman::gate
