#include "router/classifier/ngram_counts.h"

#include <algorithm>

#include "router/classifier/features.h"

namespace pointsman::classifier {

void CountNgrams(std::string_view text, std::size_t max_bytes, std::uint32_t bits, std::vector<std::uint32_t>& scratch,
                 std::vector<NgramCount>& counts) {
  scratch.clear();
  counts.clear();
  StreamFeatures(text, max_bytes, [&](const Feature& feature) {
    if (static_cast<std::uint32_t>(feature.group) < kNgramGroups) scratch.push_back(feature.Row(bits));
  });
  std::sort(scratch.begin(), scratch.end());
  for (const std::uint32_t row : scratch) {
    if (counts.empty() || counts.back().row != row) counts.push_back({row, 0});
    ++counts.back().count;
  }
}

}  // namespace pointsman::classifier
