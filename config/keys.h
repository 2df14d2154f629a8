// config/keys.h: every key that the configuration file may have. docs/configuration.md describes each of them, and a
// test compares the two.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace pointsman::config {

// Paths; "*" stands for a name that the file chooses.
std::span<const std::string_view> KnownKeys();

// The last words of the known keys that lie directly under `pattern` ("" = the top level).
std::vector<std::string_view> KeysUnder(std::string_view pattern);

}  // namespace pointsman::config
