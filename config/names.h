// config/names.h: names of experts, policies, models and tenants, and what was meant by a misspelt one.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace pointsman::config {

// A-Z a-z 0-9 . _ - , 1 to 64 of them.
bool IsName(std::string_view text);

// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` (optimal string alignment).
std::size_t EditDistance(std::string_view a, std::string_view b);

// The known word that `word` was probably meant to be; "" when none is near (a third of its letters, at least 2,
// apart).
std::string_view Nearest(std::string_view word, std::span<const std::string_view> known);

// For the end of a message: `did you mean "x"?`, or, when nothing is near, `<what>: a, b, c` (cut after 20).
std::string Suggest(std::string_view word, std::span<const std::string_view> known, std::string_view what);

// `"text"`, with control characters escaped and everything after 80 bytes cut: for messages.
std::string Quote(std::string_view text);

}  // namespace pointsman::config
