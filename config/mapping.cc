#include "config/mapping.h"

#include <algorithm>
#include <set>
#include <stdexcept>

#include "config/keys.h"
#include "config/names.h"

namespace pointsman::config {
namespace {

constexpr std::string_view kMergeKey = "<<";
// Merged maps may merge others; an anchor may even hold itself. Nobody needs more than this, all merges of a map
// together.
constexpr int kMostMerges = 64;

// Odd keys are quoted, so that a message stays one line.
std::string Join(const std::string& parent, std::string_view key) {
  const std::string word = IsName(key) ? std::string(key) : Quote(key);
  return parent.empty() ? word : parent + "." + word;
}

struct MapReader {
  const Value& value;
  std::vector<MapEntry> entries;
  std::set<std::string, std::less<>> seen;
  int merges = 0;

  void Merge(const YAML::Node& node, Place place) {
    if (++merges > kMostMerges) {
      if (merges == kMostMerges + 1) {
        value.findings()->Add(place, value.path(), "merges more than " + std::to_string(kMostMerges) + " maps");
      }
      return;
    }
    if (node.IsMap()) {
      Read(node);
    } else if (node.IsSequence()) {
      for (const YAML::Node& item : node) Merge(item, place);
    } else {
      value.findings()->Add(place, value.path(), "the merge key << needs a map or a list of maps (as in <<: *anchor)");
    }
  }

  void Read(const YAML::Node& map) {
    std::set<std::string, std::less<>> here;
    std::vector<std::pair<YAML::Node, Place>> to_merge;
    for (const auto& pair : map) {
      const Place place = PlaceOf(pair.first.Mark());
      if (!pair.first.IsScalar()) {
        value.findings()->Add(place, value.path(),
                              "has a key that is " + std::string(KindOf(pair.first)) + " (keys must be text)");
        continue;
      }
      const std::string& key = pair.first.Scalar();
      if (!here.insert(key).second) {
        value.findings()->Add(place, Join(value.path(), key), "is there twice (keep one of them)");
        continue;
      }
      if (key == kMergeKey) {
        to_merge.emplace_back(pair.second, place);
        continue;
      }
      // What is written in the map itself replaces what it merges, and earlier merges replace later ones.
      if (seen.insert(key).second) entries.push_back({key, place, pair.second});
    }
    for (const auto& [node, place] : to_merge) {
      if (merges <= kMostMerges) Merge(node, place);
    }
  }
};

}  // namespace

std::vector<MapEntry> ReadMap(const Value& value) {
  if (!value.present()) return {};
  if (!value.node().IsMap()) {
    value.Fail("is " + std::string(KindOf(value.node())) + " (it must be a map, key: value)");
    return {};
  }
  MapReader reader{value, {}, {}};
  reader.Read(value.node());
  return std::move(reader.entries);
}

Section::Section(const Value& value) : value_(value), entries_(ReadMap(value)), known_(KeysUnder(value.pattern())) {}

bool Section::Has(std::string_view key) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const MapEntry& entry) { return entry.key == key; });
}

Value Section::Take(std::string_view key) {
  auto known = std::find(known_.begin(), known_.end(), key);
  if (known == known_.end())
    throw std::logic_error("key not in the table: " + value_.pattern() + "." + std::string(key));
  taken_.insert(*known);
  auto join = [&](const std::string& parent) {
    return parent.empty() ? std::string(key) : parent + "." + std::string(key);
  };
  for (const MapEntry& entry : entries_) {
    if (entry.key == key) {
      return Value(value_.findings(), join(value_.path()), join(value_.pattern()), entry.place, entry.node);
    }
  }
  return Value(value_.findings(), join(value_.path()), join(value_.pattern()), value_.place());
}

Value Section::Require(std::string_view key, std::string_view why) {
  if (value_.IsMap() && !Has(key)) {
    value_.Fail("has no " + Quote(key) + " (it is required: " + std::string(why) + ")");
  }
  return Take(key);
}

void Section::Finish(bool extensions) {
  // A key of the table that nobody took would be a knob that does nothing.
  if (taken_.size() != known_.size()) throw std::logic_error("a known key of " + value_.pattern() + " was not read");
  for (const MapEntry& entry : entries_) {
    if (std::find(known_.begin(), known_.end(), entry.key) != known_.end()) continue;
    if (extensions && entry.key.starts_with("x-")) continue;
    value_.findings()->Add(entry.place, Join(value_.path(), entry.key),
                           "is not a known key (" + Suggest(entry.key, known_, "known here") + ")");
  }
}

}  // namespace pointsman::config
