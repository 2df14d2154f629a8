// router/classifier/word_pieces.h: WordPiece tokenization (Wu et al. 2016, section 4; the greedy longest match that
// BERT uses), uncased.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pointsman::classifier {

// Immutable; any thread. The vocabulary is a trie in one hash table: a step is one look-up, a text is read once.
class WordPieces {
 public:
  static constexpr std::uint32_t kUnknown = 0xFFFFFFFF;
  static constexpr std::size_t kLongestWord = 100;  // bytes; a longer run of letters is unknown

  // `vocabulary[i]` is the piece with number i; "##" begins a piece that goes on inside a word. Empty ones are skipped.
  explicit WordPieces(const std::vector<std::string>& vocabulary);

  // Calls sink(number) for every piece of `text`, which is folded (fold.h); kUnknown once for a word that the
  // vocabulary cannot spell. Words are runs of what is neither space nor ASCII punctuation; a punctuation mark is a
  // word. No allocation.
  template <class Sink>
  void Tokenize(std::string_view text, Sink&& sink) const {
    std::size_t at = 0;
    while (at < text.size()) {
      const Kind kind = kKinds[static_cast<unsigned char>(text[at])];
      if (kind == Kind::kSpace) {
        ++at;
        continue;
      }
      std::size_t end = at + 1;
      if (kind == Kind::kLetter) {
        while (end < text.size() && kKinds[static_cast<unsigned char>(text[end])] == Kind::kLetter) ++end;
      }
      Spell(text.substr(at, end - at), sink);
      at = end;
    }
  }

 private:
  enum class Kind : std::uint8_t { kSpace, kLetter, kMark };
  static constexpr std::array<Kind, 256> kKinds = [] {
    std::array<Kind, 256> kinds{};
    for (int c = 0; c < 256; ++c) {
      const bool mark = (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) || (c >= 123 && c <= 126);
      kinds[static_cast<std::size_t>(c)] = mark ? Kind::kMark : c <= 32 || c == 127 ? Kind::kSpace : Kind::kLetter;
    }
    return kinds;
  }();
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;
  struct Edge {
    std::uint32_t key = kNone;  // node << 8 | byte
    std::uint32_t node = 0;
  };

  static std::size_t Slot(std::uint32_t key, std::size_t mask) { return (key * 0x9E3779B1U >> 7) & mask; }
  std::uint32_t Next(std::uint32_t node, char c) const {
    const std::uint32_t key = node << 8 | static_cast<unsigned char>(c);
    for (std::size_t slot = Slot(key, mask_);; slot = (slot + 1) & mask_) {
      if (edges_[slot].key == key) return edges_[slot].node;
      if (edges_[slot].key == kNone) return kNone;
    }
  }
  void Insert(std::string_view piece, std::uint32_t root, std::uint32_t number);

  template <class Sink>
  void Spell(std::string_view word, Sink& sink) const {
    std::uint32_t pieces[kLongestWord];
    std::size_t count = 0;
    if (word.size() > kLongestWord) return sink(kUnknown);
    for (std::size_t at = 0; at < word.size();) {
      std::uint32_t node = at == 0 ? 0 : 1, found = kUnknown;
      std::size_t end = at;
      for (std::size_t i = at; i < word.size(); ++i) {
        const char c = word[i] >= 'A' && word[i] <= 'Z' ? static_cast<char>(word[i] + 32) : word[i];
        node = Next(node, c);
        if (node == kNone) break;
        if (numbers_[node] != kUnknown) {
          found = numbers_[node];
          end = i + 1;
        }
      }
      if (found == kUnknown) return sink(kUnknown);
      pieces[count++] = found;
      at = end;
    }
    for (std::size_t i = 0; i < count; ++i) sink(pieces[i]);
  }

  std::vector<Edge> edges_;             // open addressing
  std::size_t mask_ = 0;                // size of edges_ - 1
  std::vector<std::uint32_t> numbers_;  // [node] the piece that ends there; node 0 begins words, node 1 goes on in them
};

}  // namespace pointsman::classifier
