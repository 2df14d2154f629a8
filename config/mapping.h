// config/mapping.h: YAML maps: their entries after merging, and sections with a fixed set of keys. Inside config/ only.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/value.h"

namespace pointsman::config {

struct MapEntry {
  std::string key;
  Place place;  // of the key
  YAML::Node node;
};

// The entries in the file's order; those of YAML merge keys (`<<: *anchor`) follow the map's own and never replace
// them. Reports anything that is not a map, keys that are not text, and duplicates (the first one counts).
std::vector<MapEntry> ReadMap(const Value& value);

// A map with known keys (keys.h). Take every known key once, then Finish.
class Section {
 public:
  explicit Section(const Value& value);

  // The key's value, absent or not.
  Value Take(std::string_view key);
  // Likewise, and reports it when the section is there without it; `why` says what it is for.
  Value Require(std::string_view key, std::string_view why);
  bool Has(std::string_view key) const;
  // Reports the keys that nobody knows. Keys that begin with "x-" are left alone when `extensions`.
  void Finish(bool extensions = false);

 private:
  const Value value_;
  std::vector<MapEntry> entries_;
  std::vector<std::string_view> known_;
  std::set<std::string_view> taken_;
};

}  // namespace pointsman::config
