// config/value.h: a value of the YAML file that knows its path and place, and reads itself as a type or says why not.
// Inside config/ only, at start-up and reload; one thread.
#pragma once

#include <yaml-cpp/yaml.h>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/problem.h"

namespace pointsman::config {

// Collects what is wrong, and where everything was.
struct Findings {
  std::string file;
  std::vector<Problem> problems;
  std::map<std::string, Place, std::less<>> places;  // of every value that was read, by path

  void Add(Place place, std::string path, std::string message);
};

struct Range {
  double min = 0, max = 0;
  bool min_itself = true;  // whether `min` belongs to the range; `max` always does
};

// Every reader returns nothing when the value is absent, and also, after reporting it, when it is not what it should
// be.
class Value {
 public:
  // An absent value.
  Value(Findings* findings, std::string path, std::string pattern, Place place);
  // A value that is there. `key_place` is where its key stands: where a value that is missing is reported.
  Value(Findings* findings, std::string path, std::string pattern, Place key_place, YAML::Node node);

  bool present() const { return present_; }
  bool IsMap() const { return present_ && node_.IsMap(); }
  bool IsScalar() const { return present_ && node_.IsScalar(); }
  const std::string& path() const { return path_; }
  const std::string& pattern() const { return pattern_; }  // the path with "*" for names
  Place place() const { return place_; }
  const YAML::Node& node() const { return node_; }
  Findings* findings() const { return findings_; }

  // Reports a problem at this value.
  void Fail(std::string message) const;

  std::optional<std::string> Text(std::size_t min_bytes, std::size_t max_bytes) const;
  std::optional<bool> Bool() const;
  // `what` is the unit, for messages: "tokens".
  template <class Whole>
  std::optional<Whole> Number(Whole min, Whole max, std::string_view what) const {
    auto number = WholeNumber(min, max, what);
    return number ? std::optional<Whole>(static_cast<Whole>(*number)) : std::nullopt;
  }
  std::optional<double> Real(Range range) const;
  std::optional<std::chrono::milliseconds> Duration(std::chrono::milliseconds min, std::chrono::milliseconds max) const;
  std::optional<std::size_t> Size(std::size_t min, std::size_t max) const;
  // The text, which is one of the choices.
  std::optional<std::string> Choice(std::initializer_list<std::string_view> choices) const;
  // The items of a list.
  std::optional<std::vector<Value>> List(std::size_t min, std::size_t max) const;
  // The entries of a map whose keys are chosen by the file, in the file's order; `what` says what they name. Duplicates
  // are reported and left out. Keys that are no names (names.h) too, when `names`; else any 1 to `max_key` printable
  // bytes.
  std::vector<std::pair<std::string, Value>> Entries(std::string_view what, bool names, std::size_t max_key = 64) const;

 private:
  std::optional<std::uint64_t> WholeNumber(std::uint64_t min, std::uint64_t max, std::string_view what) const;
  // The scalar's text; reports anything else. `what` says what would be right.
  std::optional<std::string_view> Scalar(std::string_view what) const;

  Findings* findings_;
  std::string path_, pattern_;
  Place place_;
  bool present_ = false;
  YAML::Node node_;
};

// `field` takes the value if there is one.
template <class Field, class T>
void Set(Field& field, std::optional<T> value) {
  if (value) field = *std::move(value);
}

Place PlaceOf(const YAML::Mark& mark);
// What a node is, for messages: "a list", "a map", "nothing", "text".
std::string_view KindOf(const YAML::Node& node);

}  // namespace pointsman::config
