#include "router/classifier/fold.h"

#include <utf8proc.h>

#include <cstdint>
#include <cstring>

namespace pointsman::classifier {
namespace {

bool IsAscii(std::string_view text) {
  std::uint64_t seen = 0;
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + i, 8);
    seen |= word;
  }
  for (; i < text.size(); ++i) seen |= static_cast<unsigned char>(text[i]);
  return (seen & 0x8080808080808080ULL) == 0;
}

// Scripts written without spaces, whose characters are words or syllables (as BERT's tokenizer has it).
bool IsIdeograph(utf8proc_int32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0x20000 && c <= 0x2FA1F);
}

void Append(utf8proc_int32_t c, std::string& out) {
  utf8proc_uint8_t bytes[4];
  out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(utf8proc_encode_char(c, bytes)));
}

void AppendFolded(utf8proc_int32_t c, std::string& out) {
  switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CN: return;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP: out += ' '; return;
    default: break;
  }
  constexpr int kMost = 32;
  utf8proc_int32_t parts[kMost];
  int boundary = 0;
  const utf8proc_ssize_t count = utf8proc_decompose_char(
      c, parts, kMost,
      static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK),
      &boundary);
  if (count > kMost) return;  // no such character today
  for (utf8proc_ssize_t i = 0; i < count; ++i) {
    const utf8proc_int32_t part = parts[i];
    const utf8proc_category_t category = utf8proc_category(part);
    const bool alone =
        part >= 128 && (IsIdeograph(part) || (category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_SO));
    if (alone) out += ' ';
    Append(part, out);
    if (alone) out += ' ';
  }
}

}  // namespace

std::string_view Fold(std::string_view text, std::string& storage) {
  if (IsAscii(text)) return text;
  storage.clear();
  const std::size_t limit = 2 * text.size();
  const auto* at = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  auto left = static_cast<utf8proc_ssize_t>(text.size());
  while (left > 0 && storage.size() < limit) {
    if (*at < 128) {
      storage += static_cast<char>(*at);
      ++at;
      --left;
      continue;
    }
    utf8proc_int32_t c = -1;
    const utf8proc_ssize_t length = utf8proc_iterate(at, left, &c);
    if (length <= 0) {
      storage += ' ';
      ++at;
      --left;
      continue;
    }
    AppendFolded(c, storage);
    at += length;
    left -= length;
  }
  if (storage.size() > limit) storage.resize(limit);
  return storage;
}

}  // namespace pointsman::classifier
