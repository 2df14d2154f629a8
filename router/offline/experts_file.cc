#include "router/offline/experts_file.h"

#include <algorithm>
#include <boost/json.hpp>
#include <set>

#include "config/secret.h"

namespace pointsman::offline {
namespace {

namespace json = boost::json;

constexpr std::size_t kLargestFile = std::size_t{4} << 20;

Error Bad(std::string message) { return InvalidArgument("experts", std::move(message)); }

// A number in [min, ...), above `min` itself when `above`; what is wrong with it, or "".
std::string ReadNumber(const json::value& value, bool above, std::optional<double>& out) {
  if (!value.is_number()) return "is not a number";
  const double number = value.to_number<double>();
  if (number < 0 || (above && number == 0)) return above ? "is not above 0" : "is negative";
  out = number;
  return "";
}

std::string ReadText(const json::value& value, std::string& out) {
  if (!value.is_string() || value.get_string().empty()) return "is not a text";
  out = value.get_string();
  return "";
}

std::string ReadTexts(const json::value& value, std::vector<std::string>& out) {
  if (!value.is_array()) return "is not a list";
  for (const json::value& item : value.get_array()) {
    if (auto wrong = ReadText(item, out.emplace_back()); !wrong.empty()) return "has an item that " + wrong;
  }
  return "";
}

// What is wrong with the entry, or "".
std::string ReadExpert(const json::object& entry, ExpertFacts& expert) {
  for (const auto& field : entry) {
    const std::string_view key = field.key();
    const json::value& value = field.value();
    std::string wrong;
    if (key == "name") {
      wrong = ReadText(value, expert.name);
    } else if (key == "active_billion") {
      wrong = ReadNumber(value, true, expert.active_billion);
    } else if (key == "total_billion") {
      wrong = ReadNumber(value, true, expert.total_billion);
    } else if (key == "price") {
      wrong = ReadNumber(value, false, expert.price);
    } else if (key == "p95_ms") {
      wrong = ReadNumber(value, true, expert.p95_ms);
    } else if (key == "licence") {
      wrong = ReadText(value, expert.licence);
    } else if (key == "regions") {
      wrong = ReadTexts(value, expert.regions);
    } else {
      wrong = "is not known (name, active_billion, total_billion, price, p95_ms, licence, regions)";
    }
    if (!wrong.empty()) return "\"" + std::string(key) + "\" " + wrong;
  }
  if (expert.name.empty()) return "has no \"name\"";
  if (!expert.total_billion) expert.total_billion = expert.active_billion;
  if (expert.active_billion && *expert.total_billion < *expert.active_billion) {
    return "\"total_billion\" is less than \"active_billion\"";
  }
  return "";
}

// The line of the first byte that is not JSON.
std::string WhereNotJson(const std::string& text) {
  json::stream_parser parser;
  boost::system::error_code code;
  const std::size_t read = parser.write_some(text, code);
  return std::to_string(1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(read), '\n'));
}

}  // namespace

Result<std::vector<ExpertFacts>> ReadExpertsFile(const std::filesystem::path& file) {
  auto text = config::ReadWholeFile(file, kLargestFile);
  if (!text) return std::move(text).error();
  boost::system::error_code code;
  const json::value value = json::parse(*text, code);
  if (code) return Bad(file.string() + ":" + WhereNotJson(*text) + ": not JSON: " + code.message());
  const json::value* list = value.is_object() ? value.get_object().if_contains("experts") : nullptr;
  if (list == nullptr || !list->is_array() || list->get_array().empty()) {
    return Bad(file.string() + R"(: not {"experts": [{"name": ...}, ...]} with at least one expert)");
  }
  std::vector<ExpertFacts> experts;
  std::set<std::string> names;
  for (const json::value& entry : list->get_array()) {
    const std::string place = file.string() + ": experts[" + std::to_string(experts.size()) + "]: ";
    if (!entry.is_object()) return Bad(place + "is not an object");
    ExpertFacts& expert = experts.emplace_back();
    if (std::string wrong = ReadExpert(entry.get_object(), expert); !wrong.empty()) return Bad(place + wrong);
    if (!names.insert(expert.name).second) return Bad(place + "the name \"" + expert.name + "\" is there twice");
  }
  return experts;
}

}  // namespace pointsman::offline
