#include "router/classifier/word_pieces.h"

#include <bit>

namespace pointsman::classifier {

WordPieces::WordPieces(const std::vector<std::string>& vocabulary) {
  std::size_t letters = 2;
  for (const std::string& piece : vocabulary) letters += piece.size();
  edges_.resize(std::bit_ceil(2 * letters));
  mask_ = edges_.size() - 1;
  numbers_.assign(2, kUnknown);
  for (std::uint32_t number = 0; number < vocabulary.size(); ++number) {
    const std::string_view piece = vocabulary[number];
    if (piece.starts_with("##") && piece.size() > 2) {
      Insert(piece.substr(2), 1, number);
    } else if (!piece.empty()) {
      Insert(piece, 0, number);
    }
  }
  // The table was sized for a trie without shared beginnings; look-ups want it small.
  std::vector<Edge> sparse(std::bit_ceil(2 * numbers_.size()));
  sparse.swap(edges_);
  mask_ = edges_.size() - 1;
  for (const Edge& edge : sparse) {
    if (edge.key == kNone) continue;
    std::size_t slot = Slot(edge.key, mask_);
    while (edges_[slot].key != kNone) slot = (slot + 1) & mask_;
    edges_[slot] = edge;
  }
}

void WordPieces::Insert(std::string_view piece, std::uint32_t root, std::uint32_t number) {
  std::uint32_t node = root;
  for (const char c : piece) {
    std::uint32_t next = Next(node, c);
    if (next == kNone) {
      next = static_cast<std::uint32_t>(numbers_.size());
      numbers_.push_back(kUnknown);
      const std::uint32_t key = node << 8 | static_cast<unsigned char>(c);
      std::size_t slot = Slot(key, mask_);
      while (edges_[slot].key != kNone) slot = (slot + 1) & mask_;
      edges_[slot] = {key, next};
    }
    node = next;
  }
  numbers_[node] = number;
}

}  // namespace pointsman::classifier
