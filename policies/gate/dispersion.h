// policies/gate/dispersion.h: how far a distribution is from uniform: the D of Mowst's confidence C = G(D)
// (arXiv 2311.05185, section 2), and the two older measures that it is compared with.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace pointsman::gate {

// Each in [0, 1]: 0 for the uniform distribution, 1 for a one-hot one (max_probability: 1 / n for the uniform one).
struct Dispersions {
  double variance = 0;         // (n sum p_i^2 - 1) / (n - 1): Var(p) / Var(one-hot)
  double entropy = 0;          // 1 - H(p) / ln n, H in nats
  double max_probability = 0;  // max p_i
  double margin = 0;           // the largest minus the second largest
};

// Of n >= 2 probabilities, each >= 0, that sum to 1 (a sum that is off by rounding is tolerated: the results are cut to
// [0, 1]). All four are equal for permuted p. Pure, any thread, no allocation.
Dispersions DispersionsOf(std::span<const double> probabilities);

// Likewise of n >= max(2, probabilities.size()) outcomes, of which those that are not given have probability 0.
Dispersions DispersionsOf(std::span<const double> probabilities, std::size_t n);

// Of a distribution of which only the k most probable outcomes are known, by their natural log-probabilities (order
// does not matter); nullopt for k = 0. An approximation (ours): what is left, r = 1 - sum p_i, is taken for one more
// outcome, so n = k + 1; but no outcome that was not listed can be more probable than the least listed one, p_k, so
// where r > p_k it is taken for r / p_k outcomes of that size:
//   sum p^2 = sum_listed p_i^2 + r min(r, p_k)     H = -sum_listed p_i ln p_i - r ln min(r, p_k)
// with n = k + 1 in the normalisation and results below 0 cut to 0. The true sum of squares is at most, the true
// entropy at least, this. n is k + 1 and not the vocabulary's size, which remote servers do not tell, and which would
// give a list of five its weight by a guess at the spread of the rest. Consequence: values are comparable between lists
// of equal k only, and not with those of the whole vocabulary: a fitted gate is told its source. Positive
// log-probabilities count as 0. Pure, any thread, no allocation.
std::optional<Dispersions> DispersionsOfTop(std::span<const double> logprobs);

}  // namespace pointsman::gate
