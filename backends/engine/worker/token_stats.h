// backends/engine/worker/token_stats.h: how sure the model was of its next token, from one pass over its logits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pointsman::engine {

struct RankedToken {
  std::int32_t token;
  float logit;
};

struct TokenStats {
  double log_sum_exp = 0;  // ln sum_i exp(logit_i): logprob of token i is logit_i - log_sum_exp
  // The two dispersions of Mowst (arXiv 2311.05185, section 2.2: any quasiconvex function of p with its minimum at
  // uniform), normalised to 0 at uniform and 1 at one-hot, over the whole vocabulary of n tokens.
  double variance_dispersion = 0;  // (n * sum p_i^2 - 1) / (n - 1)
  double entropy_dispersion = 0;   // 1 - H(p) / ln n, H in nats
};

// `logits` has at least 2 entries. -inf means probability 0; NaN is not allowed. Any thread.
TokenStats ComputeTokenStats(std::span<const float> logits);

// The `count` largest logits, best first, of equals the lower token first; fewer when there are fewer logits. Any
// thread.
std::vector<RankedToken> TopTokens(std::span<const float> logits, std::size_t count);

// Index of the largest logit, the first of equals. `logits` is not empty. Any thread.
std::int32_t ArgMax(std::span<const float> logits);

}  // namespace pointsman::engine
