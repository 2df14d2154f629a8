// router/classifier/ngram_counts.h: a text as counts of hashed features, for models that weigh a feature by its count.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace pointsman::classifier {

// Words and word pairs: groups 0 and 1 of features.h. Parts of words made the predictions worse (docs/predictor.md).
inline constexpr std::uint32_t kNgramGroups = 2;

struct NgramCount {
  std::uint32_t row;  // Feature::Row(bits)
  std::uint32_t count;
};

// The words and word pairs in what is read of `text` (StreamFeatures), each row once, rows ascending. Replaces
// `counts`; `scratch` is working memory that a caller keeps. Training and serving both read this. Any thread.
void CountNgrams(std::string_view text, std::size_t max_bytes, std::uint32_t bits, std::vector<std::uint32_t>& scratch,
                 std::vector<NgramCount>& counts);

}  // namespace pointsman::classifier
