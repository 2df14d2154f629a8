#include "backends/engine/worker/utf8.h"

#include <algorithm>
#include <cstdint>

namespace pointsman::engine {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// What the bytes at the front of a string are: `length` bytes that are one whole character, that could still become one
// (all of the string), or that never will.
struct Character {
  enum Kind { kWhole, kUnfinished, kInvalid } kind;
  std::size_t length;
};

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. The ranges of the second byte say all of that.
Character Next(std::string_view s) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(s[i]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return {Character::kWhole, 1};
  std::size_t length = 0;
  std::uint8_t low = 0x80, high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  } else {
    return {Character::kInvalid, 1};
  }
  const std::size_t there = std::min(length, s.size());
  for (std::size_t i = 1; i < there; ++i) {
    if (byte(i) < low || byte(i) > high) return {Character::kInvalid, i};
    low = 0x80;
    high = 0xBF;
  }
  return {there == length ? Character::kWhole : Character::kUnfinished, there};
}

}  // namespace

std::string Utf8Assembler::Feed(std::string_view bytes) {
  held_.append(bytes);
  std::string out;
  out.reserve(held_.size());
  std::string_view rest = held_;
  while (!rest.empty()) {
    const Character next = Next(rest);
    if (next.kind == Character::kUnfinished) break;
    out.append(next.kind == Character::kWhole ? rest.substr(0, next.length) : kReplacement);
    rest.remove_prefix(next.length);
  }
  held_.erase(0, held_.size() - rest.size());
  return out;
}

std::string Utf8Assembler::Finish() {
  if (held_.empty()) return {};
  held_.clear();
  return std::string(kReplacement);
}

std::string ValidUtf8(std::string_view bytes) {
  Utf8Assembler assembler;
  std::string out = assembler.Feed(bytes);
  return out += assembler.Finish();
}

}  // namespace pointsman::engine
