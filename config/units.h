// config/units.h: numbers with and without units, as people write them in the configuration.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pointsman::config {

// Each returns nothing when the text is not wholly such a value, or does not fit.

// "30s", "500ms", "10m", "2h"; whole numbers. "0" needs no unit.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);
// "64MiB": B, KiB, MiB, GiB (powers of 1024), KB, MB, GB (powers of 1000); whole numbers. "0" needs no unit.
std::optional<std::uint64_t> ParseSize(std::string_view text);
std::optional<std::uint64_t> ParseWhole(std::string_view text);  // decimal digits only
std::optional<double> ParseNumber(std::string_view text);        // finite

// The largest unit that divides it: "90s", "2h"; "20MiB", "1000B".
std::string FormatDuration(std::chrono::milliseconds duration);
std::string FormatSize(std::uint64_t bytes);
// Shortest text without exponent that reads back as the same number.
std::string FormatNumber(double number);

}  // namespace pointsman::config
