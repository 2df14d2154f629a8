#include "router/offline/experts_file.h"

#include <boost/json.hpp>
#include <set>

#include "router/offline/json_fields.h"

namespace pointsman::offline {
namespace {

namespace json = boost::json;

Error Bad(std::string message) { return InvalidArgument("experts", std::move(message)); }

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

}  // namespace

Result<std::vector<ExpertFacts>> ReadExpertsFile(const std::filesystem::path& file) {
  const auto value = ReadJsonFile(file, "experts");
  if (!value) return value.error();
  const json::value* list = value->is_object() ? value->get_object().if_contains("experts") : nullptr;
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
