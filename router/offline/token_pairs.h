// router/offline/token_pairs.h: which pairs of neighbouring pieces are frequent enough to have a vector of their own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "router/classifier/word_pieces.h"

namespace pointsman::offline {

// The pairs that stand `min_count` times or more in `texts` (folded here, fold.h), the `most` most frequent of them; of
// equally frequent ones those of the smaller number. As in the artifact (StaticEmbedding.pairs): first << 32 | second,
// ascending. Memory: 16 bytes or more for each distinct pair.
std::vector<std::uint64_t> FrequentPairs(const classifier::WordPieces& pieces, std::span<const std::string_view> texts,
                                         std::size_t most, std::size_t min_count);

}  // namespace pointsman::offline
