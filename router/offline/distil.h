// router/offline/distil.h: token vectors whose sum, for each text, points where a teacher's vector of the text points.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace pointsman::offline {

// The tokens of texts, text after text.
struct TokenLists {
  std::vector<std::size_t> begin{0};  // of each text's tokens; one more than texts
  std::vector<std::uint32_t> tokens;

  std::size_t texts() const { return begin.size() - 1; }
  std::span<const std::uint32_t> Text(std::size_t i) const {
    return {tokens.data() + begin[i], begin[i + 1] - begin[i]};
  }
};

struct DistilOptions {
  std::size_t dimensions = 0;
  unsigned epochs = 16;         // passes over the texts
  float learning_rate = 0.01F;  // of the first step, in units of the vectors; a tenth of it in the last
  std::uint64_t seed = 1;       // of the order of the texts
};

// Minimises the sum over texts of 1 - cos(sum of the text's token vectors, target) from where `vectors`, row-major
// [token][dimensions], stand. `targets`: row-major [text][dimensions], of length 1. Stochastic gradient descent, a text
// a step, with Adagrad's step sizes (Duchi, Hazan and Singer 2011, equation 1), one for each token; ours: the gradient
// is taken as if the sum had length 1, so long texts teach as much as short ones. One thread; deterministic. `progress`
// gets the share done and may be empty.
void Distil(const TokenLists& texts, std::span<const float> targets, const DistilOptions& options,
            std::span<float> vectors, const std::function<void(double)>& progress);

}  // namespace pointsman::offline
