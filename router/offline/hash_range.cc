#include "router/offline/hash_range.h"

#include <charconv>
#include <cstdint>

namespace pointsman::offline {
namespace {

Error Bad(std::string message) { return InvalidArgument("rows", std::move(message)); }

}  // namespace

Result<std::optional<HashRange>> ParseHashRange(const std::string& text) {
  if (text.empty()) return std::optional<HashRange>();
  HashRange range;
  const char* end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, range.first);
  if (first.ec == std::errc() && first.ptr != end && *first.ptr == ':') {
    const auto last = std::from_chars(first.ptr + 1, end, range.last);
    if (last.ec == std::errc() && last.ptr == end && range.first < range.last && range.last <= 100) {
      return std::optional(range);
    }
  }
  return Bad("\"" + text + "\" is no range of h (LO:HI with 0 <= LO < HI <= 100)");
}

Result<bool> InRange(std::string_view hash, const HashRange& range) {
  const std::string_view digits = hash.substr(0, 8);
  std::uint32_t value = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (code != std::errc() || digits.size() < 8 || end != digits.data() + 8) {
    return Bad("field \"h\" does not begin with 8 hexadecimal digits");
  }
  return value % 100 >= range.first && value % 100 < range.last;
}

}  // namespace pointsman::offline
