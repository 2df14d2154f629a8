#include "config/units.h"

#include <charconv>
#include <cmath>
#include <limits>

namespace pointsman::config {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// Largest first, for formatting.
constexpr Unit kDurations[] = {{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}};
constexpr Unit kSizes[] = {{"GiB", std::uint64_t{1} << 30},
                           {"MiB", std::uint64_t{1} << 20},
                           {"KiB", std::uint64_t{1} << 10},
                           {"GB", 1'000'000'000},
                           {"MB", 1'000'000},
                           {"KB", 1'000},
                           {"B", 1}};

template <std::size_t kCount>
std::optional<std::uint64_t> ParseWithUnit(std::string_view text, const Unit (&units)[kCount]) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{}) return std::nullopt;
  std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  if (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  if (unit.empty() && number == 0) return 0;
  for (const Unit& known : units) {
    if (unit != known.name) continue;
    if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / known.factor)
      return std::nullopt;
    return number * known.factor;
  }
  return std::nullopt;
}

template <std::size_t kCount>
std::string FormatWithUnit(std::uint64_t number, const Unit (&units)[kCount], std::size_t from, std::size_t to) {
  for (std::size_t i = from; i < to; ++i) {
    if (number >= units[i].factor && number % units[i].factor == 0) {
      return std::to_string(number / units[i].factor) + std::string(units[i].name);
    }
  }
  return std::to_string(number) + std::string(units[kCount - 1].name);
}

}  // namespace

std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  auto milliseconds = ParseWithUnit(text, kDurations);
  if (!milliseconds) return std::nullopt;
  return std::chrono::milliseconds(static_cast<std::int64_t>(*milliseconds));
}

std::optional<std::uint64_t> ParseSize(std::string_view text) { return ParseWithUnit(text, kSizes); }

std::optional<std::uint64_t> ParseWhole(std::string_view text) {
  std::uint64_t number = 0;
  auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || rest != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<double> ParseNumber(std::string_view text) {
  double number = 0;
  auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || rest != text.data() + text.size() || !std::isfinite(number)) return std::nullopt;
  return number;
}

std::string FormatDuration(std::chrono::milliseconds duration) {
  return FormatWithUnit(static_cast<std::uint64_t>(duration.count()), kDurations, 0, 4);
}

std::string FormatSize(std::uint64_t bytes) { return FormatWithUnit(bytes, kSizes, 0, 3); }

std::string FormatNumber(double number) {
  char text[400];  // the longest double has 309 digits
  auto [end, error] = std::to_chars(text, text + sizeof text, number, std::chars_format::fixed);
  return error == std::errc{} ? std::string(text, end) : std::to_string(number);
}

}  // namespace pointsman::config
