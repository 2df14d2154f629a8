#include "policies/gate/weak_signals.h"

#include <algorithm>
#include <cmath>

namespace pointsman::gate {
namespace {

constexpr std::array<std::string_view, kSignalSources> kSourceNames = {"none", "vocabulary", "top_k", "options",
                                                                       "agreement"};
constexpr std::array<std::string_view, kSignals> kSignalNames = {"variance",        "entropy",     "min_variance",
                                                                 "min_entropy",     "probability", "min_probability",
                                                                 "max_probability", "margin"};

// A probability of 0 in a mean of logarithms would hide all others.
constexpr double kLeastLogprob = -100;

template <class Enum, std::size_t n>
std::optional<Enum> Named(const std::array<std::string_view, n>& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

// One distribution: its means and least values are its values.
SignalValues OfOne(const Dispersions& d) {
  return {d.variance,        d.entropy,         d.variance,        d.entropy,
          d.max_probability, d.max_probability, d.max_probability, d.margin};
}

}  // namespace

std::string_view Name(SignalSource source) { return kSourceNames.at(static_cast<std::size_t>(source)); }
std::optional<SignalSource> SourceNamed(std::string_view name) { return Named<SignalSource>(kSourceNames, name); }
std::string_view Name(Signal signal) { return kSignalNames.at(static_cast<std::size_t>(signal)); }
std::optional<Signal> SignalNamed(std::string_view name) { return Named<Signal>(kSignalNames, name); }

void WeakSignals::Sum::Add(double value) {
  total += value;
  least = std::min(least, value);
}

void WeakSignals::Add(const TokenSignal& token) {
  if (limit_ > 0 && tokens_ >= limit_) return;
  ++tokens_;
  const double logprob = std::isnan(token.logprob) ? kLeastLogprob : std::clamp(token.logprob, kLeastLogprob, 0.0);
  logprob_ += logprob;
  least_logprob_ = std::min(least_logprob_, logprob);
  const std::span<const double> own(&logprob, 1);
  // Never without a value: the list is not empty.
  const Dispersions top = *DispersionsOfTop(token.top_logprobs.empty() ? own : token.top_logprobs);
  top_variance_.Add(top.variance);
  top_entropy_.Add(top.entropy);
  max_probability_ += top.max_probability;
  margin_ += top.margin;
  vocabulary_ = vocabulary_ && token.variance && token.entropy;
  variance_.Add(std::clamp(token.variance.value_or(0), 0.0, 1.0));
  entropy_.Add(std::clamp(token.entropy.value_or(0), 0.0, 1.0));
}

void WeakSignals::SetOptions(std::span<const double> probabilities) {
  if (probabilities.size() >= 2) options_ = DispersionsOf(probabilities);
}

void WeakSignals::SetVotes(std::span<const double> shares, std::size_t samples) {
  if (samples < 2 || shares.empty()) return;
  votes_ = DispersionsOf(shares, std::max(samples, shares.size()));
}

SignalSource WeakSignals::source() const {
  if (votes_) return SignalSource::kAgreement;
  if (options_) return SignalSource::kOptions;
  if (tokens_ == 0) return SignalSource::kNone;
  return vocabulary_ ? SignalSource::kVocabulary : SignalSource::kTopK;
}

std::optional<SignalValues> WeakSignals::Values(SignalSource source) const {
  if (source == SignalSource::kAgreement && votes_) return OfOne(*votes_);
  if (source == SignalSource::kOptions && options_) return OfOne(*options_);
  const bool whole = source == SignalSource::kVocabulary;
  if (tokens_ == 0 || (!whole && source != SignalSource::kTopK) || (whole && !vocabulary_)) return std::nullopt;
  const auto n = static_cast<double>(tokens_);
  const Sum &variance = whole ? variance_ : top_variance_, &entropy = whole ? entropy_ : top_entropy_;
  return SignalValues{variance.total / n,     entropy.total / n,        variance.least,       entropy.least,
                      std::exp(logprob_ / n), std::exp(least_logprob_), max_probability_ / n, margin_ / n};
}

}  // namespace pointsman::gate
