#include "config/value.h"

#include <algorithm>

#include "config/mapping.h"
#include "config/names.h"
#include "config/units.h"

namespace pointsman::config {

void Findings::Add(Place place, std::string path, std::string message) {
  problems.push_back({file, place, std::move(path), std::move(message)});
}

Place PlaceOf(const YAML::Mark& mark) {
  if (mark.line < 0 || mark.column < 0) return {1, 1};
  return {static_cast<unsigned>(mark.line) + 1, static_cast<unsigned>(mark.column) + 1};
}

std::string_view KindOf(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Map: return "a map";
    case YAML::NodeType::Sequence: return "a list";
    case YAML::NodeType::Scalar: return "text";
    case YAML::NodeType::Null:
    case YAML::NodeType::Undefined: break;
  }
  return "nothing";
}

Value::Value(Findings* findings, std::string path, std::string pattern, Place place)
    : findings_(findings), path_(std::move(path)), pattern_(std::move(pattern)), place_(place) {}

Value::Value(Findings* findings, std::string path, std::string pattern, Place key_place, YAML::Node node)
    : findings_(findings),
      path_(std::move(path)),
      pattern_(std::move(pattern)),
      place_(key_place),
      node_(std::move(node)) {
  if (!node_.IsDefined() || node_.IsNull()) {
    Fail("has no value (give it one, or remove the key)");
    return;
  }
  present_ = true;
  // A map begins at its first key; the line that names it is where people look.
  if (node_.IsScalar()) place_ = PlaceOf(node_.Mark());
  findings_->places.try_emplace(path_, place_);
}

void Value::Fail(std::string message) const { findings_->Add(place_, path_, std::move(message)); }

std::optional<std::string_view> Value::Scalar(std::string_view what) const {
  if (!present_) return std::nullopt;
  if (!node_.IsScalar()) {
    Fail("is " + std::string(KindOf(node_)) + " (it must be " + std::string(what) + ")");
    return std::nullopt;
  }
  return node_.Scalar();
}

std::optional<std::string> Value::Text(std::size_t min_bytes, std::size_t max_bytes) const {
  auto text = Scalar("text");
  if (!text) return std::nullopt;
  if (text->size() < min_bytes) {
    Fail(min_bytes == 1 ? "is empty" : "is shorter than " + std::to_string(min_bytes) + " bytes");
    return std::nullopt;
  }
  if (text->size() > max_bytes) {
    Fail("has " + std::to_string(text->size()) + " bytes (at most " + std::to_string(max_bytes) + ")");
    return std::nullopt;
  }
  if (text->find('\0') != std::string_view::npos) {
    Fail("has a zero byte (it must be text)");
    return std::nullopt;
  }
  return std::string(*text);
}

std::optional<bool> Value::Bool() const {
  auto text = Scalar("true or false");
  if (!text) return std::nullopt;
  if (*text == "true") return true;
  if (*text == "false") return false;
  Fail("is " + Quote(*text) + " (it must be true or false)");
  return std::nullopt;
}

std::optional<std::uint64_t> Value::WholeNumber(std::uint64_t min, std::uint64_t max, std::string_view what) const {
  std::string range = "a whole number from " + std::to_string(min) + " to " + std::to_string(max);
  if (!what.empty()) range += ": " + std::string(what);
  auto text = Scalar(range);
  if (!text) return std::nullopt;
  auto number = ParseWhole(*text);
  if (number && *number >= min && *number <= max) return number;
  Fail("is " + Quote(*text) + " (it must be " + range + ")");
  return std::nullopt;
}

std::optional<double> Value::Real(Range range) const {
  const std::string expected = "a number " + std::string(range.min_itself ? "from " : "above ") +
                               FormatNumber(range.min) + (range.min_itself ? " to " : " and at most ") +
                               FormatNumber(range.max);
  auto text = Scalar(expected);
  if (!text) return std::nullopt;
  auto number = ParseNumber(*text);
  if (number && *number <= range.max && (*number > range.min || (range.min_itself && *number == range.min)))
    return number;
  Fail("is " + Quote(*text) + " (it must be " + expected + ")");
  return std::nullopt;
}

std::optional<std::chrono::milliseconds> Value::Duration(std::chrono::milliseconds min,
                                                         std::chrono::milliseconds max) const {
  const std::string expected = "a duration with its unit, ms, s, m or h, from " + FormatDuration(min) + " to " +
                               FormatDuration(max) + ", as in 500ms or 30s";
  auto text = Scalar(expected);
  if (!text) return std::nullopt;
  auto duration = ParseDuration(*text);
  if (duration && *duration >= min && *duration <= max) return duration;
  Fail("is " + Quote(*text) + " (it must be " + expected + ")");
  return std::nullopt;
}

std::optional<std::size_t> Value::Size(std::size_t min, std::size_t max) const {
  const std::string expected =
      "a size with its unit, B, KiB, MiB or GiB, from " + FormatSize(min) + " to " + FormatSize(max) + ", as in 64MiB";
  auto text = Scalar(expected);
  if (!text) return std::nullopt;
  auto size = ParseSize(*text);
  if (size && *size >= min && *size <= max) return size;
  Fail("is " + Quote(*text) + " (it must be " + expected + ")");
  return std::nullopt;
}

std::optional<std::string> Value::Choice(std::initializer_list<std::string_view> choices) const {
  std::string expected;
  for (std::string_view choice : choices) expected += (expected.empty() ? "" : ", ") + std::string(choice);
  if (choices.size() > 1) expected = "one of " + expected;
  auto text = Scalar(expected);
  if (!text) return std::nullopt;
  if (std::find(choices.begin(), choices.end(), *text) != choices.end()) return std::string(*text);
  Fail("is " + Quote(*text) + " (it must be " + expected + ")");
  return std::nullopt;
}

std::optional<std::vector<Value>> Value::List(std::size_t min, std::size_t max) const {
  if (!present_) return std::nullopt;
  if (!node_.IsSequence()) {
    Fail("is " + std::string(KindOf(node_)) + " (it must be a list, as in [a, b])");
    return std::nullopt;
  }
  if (node_.size() < min || node_.size() > max) {
    Fail("has " + std::to_string(node_.size()) + " items (it must have " + std::to_string(min) + " to " +
         std::to_string(max) + ")");
    return std::nullopt;
  }
  std::vector<Value> items;
  for (const YAML::Node& item : node_) {
    const Place place = item.Mark().is_null() ? place_ : PlaceOf(item.Mark());
    items.emplace_back(findings_, path_ + "[" + std::to_string(items.size()) + "]", pattern_, place, item);
  }
  return items;
}

std::vector<std::pair<std::string, Value>> Value::Entries(std::string_view what, bool names,
                                                          std::size_t max_key) const {
  std::vector<std::pair<std::string, Value>> entries;
  for (MapEntry& entry : ReadMap(*this)) {
    const std::string path = path_.empty() ? entry.key : path_ + "." + entry.key;
    const bool printable = std::none_of(entry.key.begin(), entry.key.end(), [](char c) {
      return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7f;
    });
    if (names && !IsName(entry.key)) {
      findings_->Add(
          entry.place, path_,
          Quote(entry.key) + " cannot be the name of " + std::string(what) + " (1 to 64 of A-Z a-z 0-9 . _ -)");
      continue;
    }
    if (!names && (entry.key.empty() || entry.key.size() > max_key || !printable)) {
      findings_->Add(entry.place, path_,
                     Quote(entry.key) + " cannot be " + std::string(what) + " (1 to " + std::to_string(max_key) +
                         " printable bytes)");
      continue;
    }
    Value value(findings_, path, pattern_ + ".*", entry.place, std::move(entry.node));
    entries.emplace_back(std::move(entry.key), std::move(value));
  }
  return entries;
}

}  // namespace pointsman::config
