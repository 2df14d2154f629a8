// base/hex.h: bytes as hexadecimal digits. Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace pointsman {

// Two lower-case digits for each byte.
inline void AppendHex(std::span<const std::uint8_t> bytes, std::string& out) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::size_t at = out.size();
  out.resize(at + 2 * bytes.size());
  for (const std::uint8_t byte : bytes) {
    out[at++] = kDigits[byte >> 4U];
    out[at++] = kDigits[byte & 15U];
  }
}

}  // namespace pointsman
