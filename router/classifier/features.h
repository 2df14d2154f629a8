// router/classifier/features.h: a text as a stream of hashed features. Training and serving both read this stream and
// nothing else, so they cannot differ.
//
// A text that is not ASCII is folded first (fold.h). A token is a run of letters (a byte over 127 counts as a letter,
// A-Z become a-z; at most kTokenBytes, a longer run goes on as the next token), a run of digits (each read as 0, at
// most 5 kept), or one punctuation mark. The features are the tokens, the pairs of neighbouring tokens, and the runs of
// 3 to 5 bytes of <token>.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "router/classifier/fold.h"

namespace pointsman::classifier {

inline constexpr std::uint32_t kGroups = 3;           // words, word pairs, character n-grams: each has its own buckets
inline constexpr std::size_t kTokenBytes = 62;        // longest token
inline constexpr std::size_t kDigits = 5;             // longest number
inline constexpr std::uint32_t kMaxTextBytes = 8192;  // limit of max_bytes: int32 sums of int8 * uint8 cannot overflow

enum class Group : std::uint32_t { kWord = 0, kPair = 1, kCharacters = 2 };

// One occurrence. The views hold only inside the sink's call.
struct Feature {
  Group group;
  std::uint64_t hash;
  std::string_view first;   // the token; the pair's first token; the n-gram, with < and > where the token ends
  std::string_view second;  // the pair's second token

  // The row of the weight table: `bits` = log2 of the buckets a group.
  std::uint32_t Row(std::uint32_t bits) const {
    const std::uint64_t mixed = (hash ^ (hash >> 29)) * 0x9E3779B97F4A7C15ULL;
    return (static_cast<std::uint32_t>(group) << bits) | static_cast<std::uint32_t>(mixed >> (64 - bits));
  }
};

// What is read of a text: all of it up to `max_bytes`, else its first and its last max_bytes / 2 bytes (an instruction
// stands at either end of a long document).
struct Excerpt {
  std::string_view head, tail;
  std::size_t bytes() const { return head.size() + tail.size(); }
};

inline Excerpt Sample(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return {text, {}};
  const std::size_t tail = max_bytes / 2;
  return {text.substr(0, max_bytes - tail), text.substr(text.size() - tail)};
}

namespace internal {

enum class Kind : std::uint8_t { kSpace, kLetter, kDigit, kMark };

struct Character {
  Kind kind;
  char folded;
};

constexpr std::array<Character, 256> MakeCharacters() {
  std::array<Character, 256> table{};
  for (int c = 0; c < 256; ++c) {
    const char same = static_cast<char>(c);
    if (c >= 128 || (c >= 'a' && c <= 'z')) {
      table[c] = {Kind::kLetter, same};
    } else if (c >= 'A' && c <= 'Z') {
      table[c] = {Kind::kLetter, static_cast<char>(c + 32)};
    } else if (c >= '0' && c <= '9') {
      table[c] = {Kind::kDigit, '0'};
    } else {
      table[c] = {c > 32 && c < 127 ? Kind::kMark : Kind::kSpace, same};
    }
  }
  return table;
}
inline constexpr auto kCharacters = MakeCharacters();

// FNV-1a, 64 bits, one byte a step.
inline constexpr std::uint64_t kFnvStart = 0xCBF29CE484222325ULL;
inline std::uint64_t FnvStep(std::uint64_t hash, char c) {
  return (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
}

struct Token {
  std::array<char, kTokenBytes + 2> text;  // with < and >
  std::size_t size = 0;                    // of the token alone
  std::uint64_t hash = 0;
  std::string_view word() const { return {text.data() + 1, size}; }
  std::string_view marked() const { return {text.data(), size + 2}; }
};

// Reads the next token at `at`; false at the end of the text.
inline bool NextToken(std::string_view text, std::size_t& at, Token& token) {
  const auto look = [&](std::size_t i) { return kCharacters[static_cast<unsigned char>(text[i])]; };
  while (at < text.size() && look(at).kind == Kind::kSpace) ++at;
  if (at == text.size()) return false;
  const Kind kind = look(at).kind;
  const std::size_t limit = kind == Kind::kLetter ? kTokenBytes : kind == Kind::kDigit ? kDigits : 1;
  token.size = 0;
  token.hash = kFnvStart;
  token.text[0] = '<';
  for (; at < text.size() && token.size < limit; ++at) {
    const Character c = look(at);
    if (c.kind != kind) break;
    token.text[++token.size] = c.folded;
    token.hash = FnvStep(token.hash, c.folded);
  }
  token.text[token.size + 1] = '>';
  if (kind == Kind::kDigit) {
    while (at < text.size() && look(at).kind == Kind::kDigit) ++at;
  }
  return true;
}

template <class Sink>
void StreamPiece(std::string_view text, Sink& sink) {
  Token tokens[2];
  std::size_t at = 0;
  for (std::size_t i = 0; NextToken(text, at, tokens[i & 1]); ++i) {
    const Token& token = tokens[i & 1];
    sink(Feature{Group::kWord, token.hash, token.word(), {}});
    if (i > 0) {
      const Token& before = tokens[(i + 1) & 1];
      sink(Feature{Group::kPair, before.hash * 0xD6E8FEB86659FD93ULL + token.hash, before.word(), token.word()});
    }
    const std::string_view marked = token.marked();
    for (std::size_t start = 0; start + 3 <= marked.size(); ++start) {
      std::uint64_t hash = FnvStep(FnvStep(kFnvStart, marked[start]), marked[start + 1]);
      const std::size_t stop = marked.size() < start + 5 ? marked.size() : start + 5;
      for (std::size_t end = start + 2; end < stop; ++end) {
        hash = FnvStep(hash, marked[end]);
        sink(Feature{Group::kCharacters, hash, marked.substr(start, end + 1 - start), {}});
      }
    }
  }
}

}  // namespace internal

// Calls piece(std::string_view) for what is read of `text`, folded: all of it, or its head and its tail. The views hold
// only inside the call; it must not call ForEachPiece itself. Returns the number of bytes read.
template <class Piece>
std::size_t ForEachPiece(std::string_view text, std::size_t max_bytes, Piece&& piece) {
  thread_local std::string storage;
  const Excerpt excerpt = Sample(text, max_bytes);
  piece(Fold(excerpt.head, storage));
  if (!excerpt.tail.empty()) piece(Fold(excerpt.tail, storage));
  return excerpt.bytes();
}

// Calls sink(const Feature&) for every occurrence of a feature in what is read of `text`. Linear in the bytes read; no
// allocation but for text that is not ASCII. Returns the number of bytes read.
template <class Sink>
std::size_t StreamFeatures(std::string_view text, std::size_t max_bytes, Sink&& sink) {
  // A piece on its own: no feature spans the gap.
  return ForEachPiece(text, max_bytes, [&](std::string_view piece) { internal::StreamPiece(piece, sink); });
}

}  // namespace pointsman::classifier
