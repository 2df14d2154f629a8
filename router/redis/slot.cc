#include "router/redis/slot.h"

#include <array>

namespace pointsman::redis {
namespace {

constexpr std::array<std::uint16_t, 256> kTable = [] {
  std::array<std::uint16_t, 256> table{};
  for (unsigned byte = 0; byte < table.size(); ++byte) {
    unsigned crc = byte << 8U;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x8000U) != 0 ? (crc << 1U) ^ 0x1021U : crc << 1U;
    table[byte] = static_cast<std::uint16_t>(crc);
  }
  return table;
}();

}  // namespace

std::uint16_t SlotOf(std::string_view key) {
  const std::size_t open = key.find('{');
  if (open != std::string_view::npos) {
    const std::size_t close = key.find('}', open + 1);
    if (close != std::string_view::npos && close > open + 1) key = key.substr(open + 1, close - open - 1);
  }
  std::uint16_t crc = 0;
  for (const char c : key) {
    crc = static_cast<std::uint16_t>((crc << 8U) ^ kTable[(crc >> 8U) ^ static_cast<unsigned char>(c)]);
  }
  return crc % kSlots;
}

std::string_view KeyOf(Command command) {
  const bool script = !command.empty() && (command[0] == "EVAL" || command[0] == "EVALSHA");
  const std::size_t at = script ? 3 : 1;
  return at < command.size() ? command[at] : std::string_view();
}

}  // namespace pointsman::redis
