// config/map_file.h: category maps that `pointsman map` wrote. Inside config/ only.
//
// The file is JSON, which is YAML:
//   {"version": 1, "categories": {"math": ["expert", "fallback"], "general": ["fallback"]},
//    "values": {"math": {"expert": 0.71, "fallback": 0.64}, "general": {...}}, "charges": {"expert": 0.02},
//    "report": {...}}
// `values` are mean scores, for every category the same experts: those that the map uses; `charges`, which may be
// absent, are what the map's limits on averages take off them (0 where an expert is not named). `report` (what was
// measured, and of which inputs) is for people and is not read here.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "config/config.h"
#include "config/value.h"

namespace pointsman::config {

inline constexpr unsigned kMapFileVersion = 1;

// Reads `map` of a policy: a map, or the name of a map file. Problems in the file are reported with the file's own
// name, lines and columns. `sums` gets the SHA-256 of the file's text, so that the fingerprint knows it.
void ReadCategoryMap(const Value& value, const std::filesystem::path& folder, std::span<const std::string_view> experts,
                     CategoryMap& map, std::string& sums);

// The experts of a list of 1 to 64, in its order: each must be known and there once.
Experts ReadCandidates(const Value& value, std::span<const std::string_view> experts);

// One expert by its name.
std::optional<std::size_t> ReadExpertName(const Value& value, std::span<const std::string_view> experts);

}  // namespace pointsman::config
