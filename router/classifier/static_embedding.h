// router/classifier/static_embedding.h: a text's vector as the sum of token vectors, distilled from a sentence encoder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pointsman/v1/artifact.pb.h"
#include "router/classifier/table.h"
#include "router/classifier/word_pieces.h"

namespace pointsman::classifier {

inline constexpr std::size_t kMaxDimensions = 512;

// What is wrong with the numbers of an embedding, or "".
std::string Flaw(const v1::StaticEmbedding& embedding);
// The same where its token vectors, of `vectors` bytes, lie elsewhere.
std::string Flaw(const v1::StaticEmbedding& embedding, std::size_t vectors);

// Immutable; any thread.
class StaticEmbedding {
 public:
  // `embedding` has no Flaw(). Copies it.
  explicit StaticEmbedding(const v1::StaticEmbedding& embedding);
  // The same with token vectors that lie in `vectors`, where they stay.
  StaticEmbedding(const v1::StaticEmbedding& embedding, Table vectors);

  std::size_t dimensions() const { return dimensions_; }
  std::size_t tokens() const { return scales_.size(); }  // pieces and pairs

  // Calls sink(number) for every piece of `text` (folded, see fold.h) and for every known pair of neighbouring pieces.
  template <class Sink>
  void Tokens(std::string_view text, Sink&& sink) const {
    std::uint32_t before = WordPieces::kUnknown;
    pieces_.Tokenize(text, [&](std::uint32_t piece) {
      if (piece != WordPieces::kUnknown) {
        sink(piece);
        if (before != WordPieces::kUnknown) {
          const std::uint32_t pair = Pair(before, piece);
          if (pair != WordPieces::kUnknown) sink(pair);
        }
      }
      before = piece;
    });
  }

  // Adds the vectors of the tokens of `text` (folded) to `sum`, dimensions() values. Returns their number. No
  // allocation.
  std::size_t Add(std::string_view text, float* sum) const;

 private:
  struct Entry {
    std::uint64_t pair = ~0ULL;
    std::uint32_t number = 0;
  };
  static std::size_t Slot(std::uint64_t pair, std::size_t mask) {
    return static_cast<std::size_t>((pair ^ pair >> 29) * 0x9E3779B97F4A7C15ULL >> 32) & mask;
  }
  std::uint32_t Pair(std::uint32_t first, std::uint32_t second) const {
    const std::uint64_t pair = static_cast<std::uint64_t>(first) << 32 | second;
    for (std::size_t slot = Slot(pair, mask_);; slot = (slot + 1) & mask_) {
      if (pairs_[slot].pair == pair) return pairs_[slot].number;
      if (pairs_[slot].pair == ~0ULL) return WordPieces::kUnknown;
    }
  }

  std::size_t dimensions_;
  WordPieces pieces_;
  std::vector<Entry> pairs_;  // open addressing
  std::size_t mask_;
  Table vectors_;  // int8 [token][dimensions]
  std::vector<float> scales_;
};

// The pieces of a vocabulary as the artifact holds it.
std::vector<std::string> Vocabulary(std::string_view lines);

}  // namespace pointsman::classifier
