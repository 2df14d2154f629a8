// policies/gate/cascade_gate.h: whether to keep the weak expert's answer or to ask the strong one (Mowst, arXiv
// 2311.05185, sections 2 and 3, from graph nodes adapted to requests; docs/policies/cascade.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "policies/evidence.h"
#include "policies/gate/weak_signals.h"

namespace pointsman::gate {

enum class GateKind : std::uint8_t {
  kSignal,    // C is one of the signals, as it is
  kLogistic,  // C = sigmoid(b + w . x), w >= 0: the probability that the weak answer is right
  kMlp,       // C = sigmoid(b + sum_h w_h tanh(b_h + W_h . x)), w and W >= 0: the paper's G, kept non-decreasing
  kGain,      // C = 1 - rank of the expected gain (strong minus weak quality) among the training rows
};
// "signal", "logistic", "mlp", "gain".
std::string_view Name(GateKind kind);
std::optional<GateKind> KindNamed(std::string_view name);

// One way to run the cascade, as measured on training rows by fits that did not see them.
struct OperatingPoint {
  double threshold = 0;     // keep the weak answer when C >= threshold; above 1 nothing is kept
  double strong_share = 0;  // of the requests that go to the strong expert, [0, 1]
  double quality = 0;       // mean quality of the answers, on the rows' scale
  // For the stochastic form: added to the log-odds of C, so that the mean of C is 1 - strong_share (Shifted()).
  double shift = 0;
};

// A gate: plain data, immutable once made. Any thread, no allocation in Confidence().
struct CascadeGate {
  GateKind kind = GateKind::kSignal;
  std::optional<SignalSource> source;  // what it was fitted on; unset: it reads the best there is
  std::size_t tokens = 0;              // of the weak answer that it reads; 0 = all
  std::string weak, strong;            // the experts' names in the training rows; "" for a signal

  // Inputs x, F of them. A signal has one input and no numbers.
  std::vector<Signal> inputs;
  std::vector<double> weights;  // F; of the MLP: one a hidden unit, H
  double bias = 0;
  std::vector<double> hidden_weights;  // MLP: [H][F]
  std::vector<double> hidden_bias;     // MLP: H

  // The gain: expected gain = bias + w . x + sum_c p_c (v_c + s_c m) over the request's category probabilities p (those
  // of categories that the gate does not know count as its average, 0), with m the signal max_probability: what
  // certainty says differs by category.
  std::vector<std::string> categories;   // distinct names; may be empty
  std::vector<double> category_weights;  // v
  std::vector<double> category_slopes;   // s
  std::vector<double> gain_quantiles;    // of the training rows' gains: 0 %, 1 %, ... 100 %, ascending

  // By rising strong_share, from 0 to 1, 2 to 101 points: where many rows have the same C there is no threshold for the
  // shares between. Empty for a signal.
  std::vector<OperatingPoint> curve;
  double weak_quality = 0, strong_quality = 0;  // means over the training rows
  double read_share = 1;  // of the weak answer that was generated when the gate decided, mean over the rows, (0, 1]
};

// A gate without a file: the value of a signal. "agreement" is max_probability of votes.
// INVALID_ARGUMENT for another name; the message lists the names.
Result<CascadeGate> SignalGate(std::string_view signal, std::size_t tokens = 0);

// What is wrong with it, or "" when it can be served: sizes that fit, finite numbers, coefficients >= 0 where C must
// not fall with the signals, ascending tables, distinct names.
std::string Flaw(const CascadeGate& gate);

// Whether the signals have what the gate reads. Where they do not, the weak answer cannot be judged.
bool Readable(const CascadeGate& gate, const WeakSignals& signals);

// C in [0, 1]; 0 when not Readable(): the request escalates. For all kinds but the gain it is an estimate of the
// probability that the weak answer is right (a signal only if it happens to be calibrated); for the gain it is a rank:
// the share of the training rows that have a larger gain. `evidence` may be null; only the gain reads it. The gate has
// no Flaw(). Pure.
double Confidence(const CascadeGate& gate, const WeakSignals& signals, const policies::Evidence* evidence);

// The expected gain of a kGain gate, on the rows' scale, from the values of its inputs and the category probabilities.
double ExpectedGain(const CascadeGate& gate, const SignalValues& values, const policies::Evidence* evidence);

// The share of rows whose gain is above `gain`, from ascending quantiles (two or more) of theirs: between two of them
// linear, and where several are equal the middle of them. In [0, 1].
double RankAbove(std::span<const double> quantiles, double gain);

// The operating point of the largest strong share, of requests like the training rows, that is not above `share` (in
// [0, 1]), and the one of least strong share whose quality is at least `part` (in (0, 1]) of the strong expert's. Both
// to about 1 %: the curve's points. INVALID_ARGUMENT: the gate is a signal (it has no curve), `share` or `part` out of
// range, or no share reaches the quality; the message says the mend.
Result<OperatingPoint> ThresholdForShare(const CascadeGate& gate, double share);
Result<OperatingPoint> ThresholdForQuality(const CascadeGate& gate, double part);

// The expected cost of a request, in the unit of the two costs (what one whole answer of each expert costs):
// weak answers that are kept are generated whole, others up to read_share (the paper's cost_weak + (1 - E[C])
// cost_strong for read_share = 1).
double ExpectedCost(double strong_share, double read_share, double weak_cost, double strong_cost);

// The three rules. `q` is uniform on [0, 1).
inline bool KeepByThreshold(double confidence, double threshold) { return confidence >= threshold; }
inline bool KeepByDraw(double confidence, double q) { return q < confidence; }
// Mowst*: both experts answered over the same options; out_i = C weak_i + (1 - C) strong_i, of probabilities that were
// softmaxed once. All three of equal length.
void Mixture(double confidence, std::span<const double> weak, std::span<const double> strong, std::span<double> out);

// q of a request: its id's hash, the same on every machine and for every replay.
double DrawOf(std::string_view request_id);

// sigmoid(logit(C) + shift); 0 and 1 stay.
double Shifted(double confidence, double shift);

}  // namespace pointsman::gate
