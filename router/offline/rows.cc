#include "router/offline/rows.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cstring>
#include <optional>
#include <unordered_map>

#include "router/offline/lines.h"

namespace pointsman::offline {
namespace {

namespace json = boost::json;

constexpr std::size_t kBadExamples = 10;
constexpr std::size_t kMaxText = 1U << 20;

Error Bad(std::string message) { return {ErrorClass::kCallersFault, Code::kInvalidArgument, std::move(message)}; }

// The text in a field of the row, or what is wrong with it.
Result<std::string> Field(const json::object& row, const std::string& name) {
  const json::value* value = row.if_contains(name);
  if (value == nullptr) return Bad("no field \"" + name + "\"");
  if (!value->is_string()) return Bad("field \"" + name + "\" is not a string");
  std::string text(value->get_string());
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) return Bad("field \"" + name + "\" is empty");
  return text;
}

// Likewise of a field that a row may lack, or have as "" or null; "" too when no field is named.
Result<std::string> OptionalField(const json::object& row, const std::string& name) {
  const json::value* value = name.empty() ? nullptr : row.if_contains(name);
  if (value == nullptr || value->is_null()) return std::string();
  if (!value->is_string()) return Bad("field \"" + name + "\" is not a string");
  return std::string(value->get_string());
}

class Reader {
 public:
  explicit Reader(const RowOptions& options) : options_(options) {
    if (options.source_field.empty()) Index("", sources_, result_.sources);
  }

  // What is wrong with the line; "" when nothing is.
  std::string Add(const std::string& line, const std::string& place) {
    boost::system::error_code code;
    const json::value value = json::parse(line, code);
    if (code) return "not JSON: " + code.message();
    if (!value.is_object()) return "not a JSON object";
    const json::object& object = value.get_object();

    auto asked_for = AskedFor(object);
    if (!asked_for) return asked_for.error().message;
    if (!*asked_for) {
      ++result_.dropped;
      return "";
    }
    std::string source;
    if (!options_.source_field.empty() && !(options_.source_optional && !object.contains(options_.source_field))) {
      auto field = Field(object, options_.source_field);
      if (!field) return field.error().message;
      source = *std::move(field);
    }
    auto label =
        options_.label_field.empty() ? Result<std::string>(std::string()) : Field(object, options_.label_field);
    if (!label) return label.error().message;
    if (options_.drop_labels.contains(*label) || options_.drop_sources.contains(source)) {
      ++result_.dropped;
      return "";
    }
    auto text = Field(object, options_.text_field);
    if (!text) return text.error().message;
    if (text->size() > kMaxText) return "field \"" + options_.text_field + "\" is longer than 1 MiB";
    auto history = OptionalField(object, options_.history_field), system = OptionalField(object, options_.system_field);
    if (!history) return history.error().message;
    if (!system) return system.error().message;
    if (const auto renamed = options_.rename.find(*label); renamed != options_.rename.end()) *label = renamed->second;

    if (!options_.known_labels.empty() && !options_.known_labels.contains(*label)) {
      return "unknown label \"" + *label + "\"";
    }
    const std::uint32_t index = Index(*label, labels_, result_.labels);
    std::string key = *text;
    if (!history->empty() || !system->empty()) key += '\0' + *history + '\0' + *system;
    const auto [seen, fresh] = seen_.try_emplace(std::move(key), Seen{index, place});
    if (!fresh) {
      if (seen->second.label != index && !options_.two_labels) {
        return "the text has label \"" + *label + "\", but \"" + result_.labels[seen->second.label] + "\" at " +
               seen->second.place;
      }
      if (seen->second.label == index) {
        ++result_.duplicates;
        return "";
      }
    }
    result_.rows.push_back(
        {*std::move(text), index, Index(source, sources_, result_.sources), *std::move(history), *std::move(system)});
    return "";
  }

  // Labels in alphabetical order, so that the model does not depend on which label comes first.
  Rows Finish() {
    std::vector<std::string> sorted = result_.labels;
    std::sort(sorted.begin(), sorted.end());
    std::vector<std::uint32_t> moved;
    for (const std::string& label : result_.labels) {
      moved.push_back(
          static_cast<std::uint32_t>(std::lower_bound(sorted.begin(), sorted.end(), label) - sorted.begin()));
    }
    for (Row& row : result_.rows) row.label = moved[row.label];
    result_.labels = std::move(sorted);
    return std::move(result_);
  }

  Rows& result() { return result_; }

 private:
  struct Seen {
    std::uint32_t label;
    std::string place;
  };
  using Names = std::unordered_map<std::string, std::uint32_t>;

  // Whether the row is one of those that `range` and `where` leave.
  Result<bool> AskedFor(const json::object& row) const {
    if (options_.range) {
      auto hash = Field(row, "h");
      auto inside = hash ? InRange(*hash, *options_.range) : Result<bool>(hash.error());
      if (!inside || !*inside) return inside;
    }
    if (options_.where_field.empty()) return true;
    auto value = Field(row, options_.where_field);
    return value ? Result<bool>(*value == options_.where_value) : Result<bool>(value.error());
  }

  static std::uint32_t Index(const std::string& name, Names& names, std::vector<std::string>& list) {
    const auto [entry, fresh] = names.try_emplace(name, static_cast<std::uint32_t>(list.size()));
    if (fresh) list.push_back(name);
    return entry->second;
  }

  const RowOptions& options_;
  Rows result_;
  Names labels_, sources_;
  std::unordered_map<std::string, Seen> seen_;
};

}  // namespace

Result<Rows> ReadRows(const RowOptions& options, const std::function<void(double)>& progress) {
  if (options.files.empty()) return Bad("no file of rows was named");
  double total = 0, done = 0;
  for (const auto& file : options.files) {
    std::error_code code;
    const auto size = std::filesystem::file_size(file, code);
    if (code) return Bad(file.string() + ": " + code.message());
    total += static_cast<double>(size);
  }
  Reader reader(options);
  for (const auto& file : options.files) {
    Lines lines(file);
    if (!lines.open()) return Bad(file.string() + ": " + std::strerror(errno));
    std::string broken;
    while (const auto line = lines.Next(broken)) {
      const std::uint64_t number = lines.number();
      if (progress && number % 1024 == 0) progress((done + lines.bytes()) / std::max(total, 1.0));
      if (line->find_first_not_of(" \t\r") == std::string::npos) continue;
      const std::string place = file.string() + ":" + std::to_string(number);
      const std::string what = reader.Add(*line, place);
      if (what.empty()) continue;
      Rows& result = reader.result();
      if (++result.bad <= kBadExamples) result.bad_examples.push_back(place + ": " + what);
    }
    if (!broken.empty()) return Bad(file.string() + ":" + std::to_string(lines.number()) + ": " + broken);
    done += static_cast<double>(std::filesystem::file_size(file));
  }
  Rows& result = reader.result();
  if (result.bad > 0 && !options.skip_bad) {
    std::string message;
    for (const std::string& bad : result.bad_examples) message += bad + "\n";
    if (result.bad > kBadExamples) message += "... and " + std::to_string(result.bad - kBadExamples) + " more\n";
    return Bad(message + std::to_string(result.bad) + " bad rows (--skip-bad leaves them out)");
  }
  return reader.Finish();
}

}  // namespace pointsman::offline
