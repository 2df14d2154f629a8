#include "router/offline/token_pairs.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include "router/classifier/fold.h"

namespace pointsman::offline {

std::vector<std::uint64_t> FrequentPairs(const classifier::WordPieces& pieces, std::span<const std::string_view> texts,
                                         std::size_t most, std::size_t min_count) {
  using classifier::WordPieces;
  std::unordered_map<std::uint64_t, std::size_t> counts;
  std::string storage;
  for (const std::string_view text : texts) {
    std::uint32_t before = WordPieces::kUnknown;
    pieces.Tokenize(classifier::Fold(text, storage), [&](std::uint32_t piece) {
      if (before != WordPieces::kUnknown && piece != WordPieces::kUnknown) {
        ++counts[static_cast<std::uint64_t>(before) << 32 | piece];
      }
      before = piece;
    });
  }
  std::vector<std::pair<std::size_t, std::uint64_t>> frequent;
  for (const auto& [pair, count] : counts) {
    if (count >= min_count) frequent.emplace_back(count, pair);
  }
  std::sort(frequent.begin(), frequent.end(),
            [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  frequent.resize(std::min(frequent.size(), most));
  std::vector<std::uint64_t> pairs;
  for (const auto& [count, pair] : frequent) pairs.push_back(pair);
  std::sort(pairs.begin(), pairs.end());
  return pairs;
}

}  // namespace pointsman::offline
