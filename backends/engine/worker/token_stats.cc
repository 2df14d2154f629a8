#include "backends/engine/worker/token_stats.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace pointsman::engine {
namespace {

// 16 floats that the compiler keeps in one AVX-512 register, or in two or four smaller ones.
constexpr std::size_t kLanes = 16;
typedef float Floats __attribute__((vector_size(kLanes * sizeof(float))));
typedef std::int32_t Ints __attribute__((vector_size(kLanes * sizeof(std::int32_t))));

// Always inlined, and by reference: vectors wider than the base instruction set's registers have no stable ABI.
#define POINTSMAN_INLINE inline __attribute__((always_inline))

// The loops are compiled for three generations of processors; the loader picks. (Its hook runs before the sanitizers
// are ready.)
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define POINTSMAN_CLONES __attribute__((target_clones("arch=skylake-avx512", "arch=haswell", "default")))
#else
#define POINTSMAN_CLONES
#endif

POINTSMAN_INLINE void Load(const float* from, Floats& to) { std::memcpy(&to, from, sizeof to); }

// exp(x) for x <= 0, relative error below 2e-7: x = k ln 2 + r, |r| <= ln 2 / 2, exp(r) by its Taylor polynomial of
// degree 7, times 2^k put together from bits. Below -87 (1e-38 of the largest probability) the result is 0.
POINTSMAN_INLINE void Exp(const Floats& from, Floats& to) {
  const Ints tiny = from < -87.0f;
  const Floats x = tiny ? Floats{} - 87.0f : from;
  // Rounds to the nearest integer: adding 1.5 * 2^23 leaves the integer in the low bits of the mantissa.
  const Floats shifted = x * 1.44269504f + 12582912.0f;
  const Floats k = shifted - 12582912.0f;
  Floats r = x - k * 0.693359375f;
  r = r + k * 2.12194440e-4f;
  Floats p = r * (1.0f / 5040) + (1.0f / 720);
  p = p * r + (1.0f / 120);
  p = p * r + (1.0f / 24);
  p = p * r + (1.0f / 6);
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const Ints exponent = __builtin_convertvector(k, Ints) + 127;
  const Ints bits = exponent << 23;
  Floats scale;
  std::memcpy(&scale, &bits, sizeof scale);
  to = tiny ? Floats{} : p * scale;
}

POINTSMAN_INLINE double Sum(const Floats& v) {
  double sum = 0;
  for (std::size_t i = 0; i < kLanes; ++i) sum += static_cast<double>(v[i]);
  return sum;
}

POINTSMAN_CLONES float Max(std::span<const float> logits) {
  std::size_t i = 0;
  float best = logits[0];
  if (logits.size() >= kLanes) {
    Floats m, v;
    Load(logits.data(), m);
    for (i = kLanes; i + kLanes <= logits.size(); i += kLanes) {
      Load(logits.data() + i, v);
      m = v > m ? v : m;
    }
    for (std::size_t lane = 0; lane < kLanes; ++lane) best = std::max(best, m[lane]);
  }
  for (; i < logits.size(); ++i) best = std::max(best, logits[i]);
  return best;
}

}  // namespace

POINTSMAN_CLONES TokenStats ComputeTokenStats(std::span<const float> logits) {
  // With x = logit - max and e = exp(x): S = sum e, S2 = sum e^2, SX = sum e x, and then H = ln S - SX / S and
  // sum p^2 = S2 / S^2. Blocks bound the rounding of the float sums: each is added up in double.
  const float max = Max(logits);
  constexpr std::size_t kBlock = kLanes * 256;
  double s = 0, s2 = 0, sx = 0;
  std::size_t i = 0;
  while (i + kLanes <= logits.size()) {
    const std::size_t end = std::min(i + kBlock, logits.size() - logits.size() % kLanes);
    Floats block_s{}, block_s2{}, block_sx{};
    for (; i < end; i += kLanes) {
      Floats x, e;
      Load(logits.data() + i, x);
      x -= max;
      x = x < -1e4f ? Floats{} - 1e4f : x;  // -inf * 0 would be NaN
      Exp(x, e);
      block_s += e;
      block_s2 += e * e;
      block_sx += e * x;
    }
    s += Sum(block_s);
    s2 += Sum(block_s2);
    sx += Sum(block_sx);
  }
  for (; i < logits.size(); ++i) {
    const double x = std::max(-1e4, static_cast<double>(logits[i]) - static_cast<double>(max));
    const double e = std::exp(x);
    s += e;
    s2 += e * e;
    sx += e * x;
  }

  const double n = static_cast<double>(logits.size());
  TokenStats stats;
  stats.log_sum_exp = static_cast<double>(max) + std::log(s);
  const double entropy = std::log(s) - sx / s;
  stats.variance_dispersion = std::clamp((n * s2 / (s * s) - 1) / (n - 1), 0.0, 1.0);
  stats.entropy_dispersion = std::clamp(1 - entropy / std::log(n), 0.0, 1.0);
  return stats;
}

std::vector<RankedToken> TopTokens(std::span<const float> logits, std::size_t count) {
  count = std::min(count, logits.size());
  std::vector<RankedToken> top;
  if (count == 0) return top;
  top.reserve(count + 1);
  // Nearly all logits lose against the worst of the best at once; insertion is rare.
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (top.size() == count && logits[i] <= top.back().logit) continue;
    const RankedToken entry{static_cast<std::int32_t>(i), logits[i]};
    const auto at = std::upper_bound(top.begin(), top.end(), entry,
                                     [](const RankedToken& a, const RankedToken& b) { return a.logit > b.logit; });
    top.insert(at, entry);
    if (top.size() > count) top.pop_back();
  }
  return top;
}

std::int32_t ArgMax(std::span<const float> logits) {
  const float max = Max(logits);
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (logits[i] == max) return static_cast<std::int32_t>(i);
  }
  return 0;
}

}  // namespace pointsman::engine
