#include "router/offline/pair_rows.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <unordered_map>

#include "router/offline/hash_range.h"
#include "router/offline/table.h"

namespace pointsman::offline {
namespace {

namespace json = boost::json;

constexpr std::array kTextFields = {"prompt", "question", "instruction", "text", "turns"};
constexpr std::array kLabelFields = {"domain", "task", "category"};
constexpr std::string_view kCorrect = "_correct";

Error Bad(std::string message) { return InvalidArgument("rows", std::move(message)); }

Result<double> Number(const json::value& value, const std::string& name) {
  if (value.is_array() && !value.get_array().empty()) {
    double sum = 0;
    for (const json::value& turn : value.get_array()) {
      auto number = Number(turn, name);
      if (!number) return number;
      sum += *number;
    }
    return sum / static_cast<double>(value.get_array().size());
  }
  if (value.is_bool()) return value.get_bool() ? 1.0 : 0.0;
  double number = std::nan("");
  if (value.is_number()) number = value.to_number<double>();
  if (value.is_string()) {
    const json::string& text = value.get_string();
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (code != std::errc() || end != text.data() + text.size()) number = std::nan("");
  }
  if (!std::isfinite(number)) return Bad("the score of \"" + name + "\" is not a number");
  return number;
}

const json::value* FindScore(const TableRow& row, const std::string& name) {
  if (const json::value* scores = row.Find("scores"); scores != nullptr && scores->is_object()) {
    if (const json::value* score = scores->get_object().if_contains(name)) return score;
  }
  if (const json::value* score = row.Find(name)) return score;
  return row.Find(name + std::string(kCorrect));
}

std::string NamesIn(const TableRow& row) {
  std::string names;
  if (const json::value* scores = row.Find("scores"); scores != nullptr && scores->is_object()) {
    for (const auto& entry : scores->get_object()) names += (names.empty() ? "" : ", ") + std::string(entry.key());
  }
  return names;
}

Result<std::string> Text(const TableRow& row, const std::string& field) {
  const json::value* value = nullptr;
  std::string name = field;
  if (!field.empty()) {
    value = row.Find(field);
  } else {
    for (const char* known : kTextFields) {
      if (value == nullptr && (value = row.Find(known)) != nullptr) name = known;
    }
  }
  if (value == nullptr) {
    return Bad(field.empty() ? "no prompt, question, instruction, text or turns (--text names another field)"
                             : "no field \"" + field + "\"");
  }
  if (value->is_array() && !value->get_array().empty()) value = &value->get_array().front();
  if (!value->is_string()) return Bad("field \"" + name + "\" is not a text");
  return std::string(value->get_string());
}

class Reader {
 public:
  explicit Reader(const ScoredOptions& options) : options_(options) {}

  Result<void> Add(const TableRow& row) {
    if (options_.range) {
      auto inside = InRange(row, *options_.range);
      if (!inside) return std::move(inside).error();
      if (!*inside) return {};
    }
    if (const json::value* contaminated = row.Find("contaminated")) {
      auto number = Number(*contaminated, "contaminated");
      if (number && *number != 0) {
        ++result.contaminated;
        return {};
      }
    }
    auto text = Text(row, options_.text_field);
    if (!text) return std::move(text).error();
    ScoredRow scored{*std::move(text), kNoLabel, {}};
    for (const ScoreColumn& column : options_.columns) {
      auto score = ScoreOf(row, column);
      if (!score) return std::move(score).error();
      scored.scores.push_back(*score);
    }
    if (auto labelled = Label(row, scored); !labelled) return labelled;
    result.rows.push_back(std::move(scored));
    return {};
  }

  ScoredRows result;

 private:
  Result<void> Label(const TableRow& row, ScoredRow& scored) {
    const json::value* value = nullptr;
    if (!options_.label_field.empty()) {
      auto text = row.Text(options_.label_field);
      if (!text) return std::move(text).error();
      value = row.Find(options_.label_field);
    } else {
      for (const char* known : kLabelFields) {
        if (value == nullptr) value = row.Find(known);
      }
    }
    if (value == nullptr || !value->is_string()) return {};
    const auto [entry, fresh] =
        labels_.try_emplace(std::string(value->get_string()), static_cast<std::uint32_t>(result.labels.size()));
    if (fresh) result.labels.push_back(entry->first);
    scored.label = entry->second;
    return {};
  }

  const ScoredOptions& options_;
  std::unordered_map<std::string, std::uint32_t> labels_;
};

}  // namespace

Result<float> ScoreOf(const TableRow& row, const ScoreColumn& column) {
  double sum = 0;
  std::size_t count = 0;
  for (const std::string& name : column.names) {
    const json::value* score = FindScore(row, name);
    if (score == nullptr) continue;
    auto number = Number(*score, name);
    if (!number) return std::move(number).error();
    sum += *number;
    ++count;
  }
  if (count > 0) return static_cast<float>(sum / static_cast<double>(count));
  std::string wanted;
  for (const std::string& name : column.names) wanted += (wanted.empty() ? "" : ", ") + name;
  const std::string there = NamesIn(row);
  return Bad("no score of \"" + column.name + "\" (" + wanted + ")" + (there.empty() ? "" : "; there are: " + there));
}

Result<bool> InRange(const TableRow& row, const HashRange& range) {
  auto hash = row.Text("h");
  return hash ? InRange(*hash, range) : Result<bool>(std::move(hash).error());
}

Result<ScoredRows> ReadScoredRows(const ScoredOptions& options) {
  Reader reader(options);
  const auto add = [&](const TableRow& row) { return reader.Add(row); };
  for (const std::filesystem::path& file : options.files) {
    if (auto read = VisitTable(file, {}, add); !read) return std::move(read).error();
  }
  if (reader.result.rows.empty()) {
    std::string files;
    for (const std::filesystem::path& file : options.files) files += (files.empty() ? "" : ", ") + file.string();
    return Bad(files + ": no row is left");
  }
  return std::move(reader.result);
}

Result<std::vector<std::string>> ScoredNames(const std::filesystem::path& file) {
  std::vector<std::string> names;
  bool first = true;
  const auto look = [&](const TableRow& row) -> Result<void> {
    if (!std::exchange(first, false)) return {};
    if (const json::value* scores = row.Find("scores"); scores != nullptr && scores->is_object()) {
      for (const auto& entry : scores->get_object()) names.emplace_back(entry.key());
      return {};
    }
    for (const auto& entry : row.fields) {
      const std::string_view key = entry.key();
      if (key.size() > kCorrect.size() && key.ends_with(kCorrect)) {
        names.emplace_back(key.substr(0, key.size() - kCorrect.size()));
      }
    }
    return {};
  };
  if (auto read = VisitTable(file, {}, look); !read) return std::move(read).error();
  if (names.empty()) return Bad(file.string() + ":1: neither an object \"scores\" nor fields NAME_correct");
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace pointsman::offline
