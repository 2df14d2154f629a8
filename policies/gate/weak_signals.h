// policies/gate/weak_signals.h: what a cascade's gate reads of the weak expert's answer while it comes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

#include "policies/gate/dispersion.h"

namespace pointsman::gate {

// One generated token.
struct TokenSignal {
  double logprob = 0;                       // natural logarithm of the token's probability, <= 0
  std::optional<double> variance, entropy;  // its distribution's dispersions over the whole vocabulary, [0, 1]
  std::span<const double> top_logprobs;     // of the most probable tokens; may be empty
};

// Where the distribution comes from.
enum class SignalSource : std::uint8_t {
  kNone,        // there is none
  kVocabulary,  // every token's distribution over the whole vocabulary (local engine)
  kTopK,        // the most probable tokens' log-probabilities, or the chosen one's alone (then k = 1)
  kOptions,     // the probabilities of a multiple-choice question's options
  kAgreement,   // the votes of m samples
};
inline constexpr std::size_t kSignalSources = 5;
// "none", "vocabulary", "top_k", "options", "agreement".
std::string_view Name(SignalSource source);
std::optional<SignalSource> SourceNamed(std::string_view name);

// What is read, each in [0, 1], larger = more certain. Options and votes have one distribution: means and least values
// are its values, and probability is that of the likeliest.
enum class Signal : std::uint8_t {
  kVariance,        // mean D_var over the tokens (dispersion.h)
  kEntropy,         // mean D_ent
  kMinVariance,     // least D_var
  kMinEntropy,      // least D_ent
  kProbability,     // exp(mean log-probability): the geometric mean of the tokens' probabilities
  kMinProbability,  // exp(least log-probability)
  kMaxProbability,  // mean of the largest probability; of votes: the majority's share, "agreement"
  kMargin,          // mean of the largest minus the second largest probability
};
inline constexpr std::size_t kSignals = 8;
// "variance", "entropy", "min_variance", "min_entropy", "probability", "min_probability", "max_probability", "margin".
std::string_view Name(Signal signal);
std::optional<Signal> SignalNamed(std::string_view name);

using SignalValues = std::array<double, kSignals>;  // indexed by Signal

// Gathers the signals of the first N tokens: O(1) a token (in the length of its top list), no allocation. A plain
// value: one thread at a time.
class WeakSignals {
 public:
  // Tokens after the first `tokens` are not read; 0 = the whole answer is.
  explicit WeakSignals(std::size_t tokens = 0) : limit_(tokens) {}

  // The next token. Where one of the tokens has no dispersion over the vocabulary the source is the top list for all;
  // the largest probability and the margin are those of the top list or, without one, the token's own probability and
  // what it leads all others together by (at least 0). A logprob that is NaN counts as probability 0.
  void Add(const TokenSignal& token);
  // Probabilities of the n >= 2 options, sum 1 (options.h); fewer are ignored.
  void SetOptions(std::span<const double> probabilities);
  // The votes of `samples` >= 2 answers: the share of each distinct answer, sum 1 (options.h, Agreement). As many
  // distinct answers as samples are possible, so n = samples. Fewer than two samples are ignored: they cannot disagree.
  void SetVotes(std::span<const double> shares, std::size_t samples);
  void End() { ended_ = true; }  // the answer is complete

  std::size_t tokens() const { return tokens_; }  // read, at most the limit
  bool ended() const { return ended_; }
  // No more tokens will be read: the limit is reached, or the answer ended.
  bool complete() const { return ended_ || (limit_ > 0 && tokens_ >= limit_); }

  // The best there is: votes, options, vocabulary, top list, none.
  SignalSource source() const;
  // The values of that source, nullopt where it was not given (and for kNone).
  std::optional<SignalValues> Values(SignalSource source) const;

 private:
  struct Sum {
    double total = 0, least = 1;
    void Add(double value);
  };

  std::size_t limit_;
  std::size_t tokens_ = 0;
  bool ended_ = false;
  bool vocabulary_ = true;  // every token so far had dispersions over the vocabulary
  Sum variance_, entropy_, top_variance_, top_entropy_;
  double max_probability_ = 0, margin_ = 0;  // totals
  double logprob_ = 0;                       // total
  double least_logprob_ = 0;
  std::optional<Dispersions> options_, votes_;
};

}  // namespace pointsman::gate
