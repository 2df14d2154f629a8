// router/offline/placement_file.cc: hosts, experts and hand-offs from a JSON file.
#include <boost/json.hpp>
#include <functional>
#include <map>

#include "router/offline/json_fields.h"
#include "router/offline/placement.h"

namespace pointsman::offline {
namespace {

namespace json = boost::json;

Error Bad(std::string message) { return InvalidArgument("hosts", std::move(message)); }

// Reads the fields that `read` knows; it returns what is wrong, or nullopt for a key that it does not know.
using ReadField = std::function<std::optional<std::string>(std::string_view key, const json::value& value)>;

std::string ReadFields(const json::value& entry, const char* keys, const ReadField& read) {
  if (!entry.is_object()) return "is not an object";
  for (const auto& field : entry.get_object()) {
    const std::string name = "\"" + std::string(field.key()) + "\" ";
    const auto wrong = read(field.key(), field.value());
    if (!wrong) return name + "is not known (" + keys + ")";
    if (!wrong->empty()) return name + *wrong;
  }
  return "";
}

std::string ReadHost(const json::value& entry, PlacedHost& host) {
  std::string wrong = ReadFields(entry, "name, memory_gb, speed",
                                 [&](std::string_view key, const json::value& value) -> std::optional<std::string> {
                                   if (key == "name") return ReadText(value, host.name);
                                   if (key == "memory_gb") return ReadNumber(value, true, host.memory_gb);
                                   if (key == "speed") return ReadNumber(value, true, host.speed);
                                   return std::nullopt;
                                 });
  if (wrong.empty() && host.name.empty()) return "has no \"name\"";
  if (wrong.empty() && host.memory_gb == 0) return "has no \"memory_gb\"";
  return wrong;
}

std::string ReadExpert(const json::value& entry, PlacedExpert& expert) {
  std::string wrong = ReadFields(entry, "name, memory_gb, rate, seconds",
                                 [&](std::string_view key, const json::value& value) -> std::optional<std::string> {
                                   if (key == "name") return ReadText(value, expert.name);
                                   if (key == "memory_gb") return ReadNumber(value, true, expert.memory_gb);
                                   if (key == "rate") return ReadNumber(value, false, expert.rate);
                                   if (key == "seconds") return ReadNumber(value, false, expert.seconds);
                                   return std::nullopt;
                                 });
  if (wrong.empty() && expert.name.empty()) return "has no \"name\"";
  if (wrong.empty() && expert.memory_gb == 0) return "has no \"memory_gb\"";
  return wrong;
}

std::string ReadHandOff(const json::value& entry, const std::map<std::string, std::size_t>& experts, HandOff& handoff) {
  std::string from, to;
  std::string wrong = ReadFields(entry, "from, to, rate",
                                 [&](std::string_view key, const json::value& value) -> std::optional<std::string> {
                                   if (key == "from") return ReadText(value, from);
                                   if (key == "to") return ReadText(value, to);
                                   if (key == "rate") return ReadNumber(value, false, handoff.rate);
                                   return std::nullopt;
                                 });
  if (!wrong.empty()) return wrong;
  for (const auto& [key, name, index] :
       {std::tuple("from", &from, &handoff.from), std::tuple("to", &to, &handoff.to)}) {
    const auto found = experts.find(*name);
    if (found == experts.end()) return std::string("\"") + key + "\" names no expert: \"" + *name + "\"";
    *index = found->second;
  }
  return "";
}

// Each entry of a list by `read`; "" or what is wrong, with its place.
std::string ReadList(const json::object& object, const char* key, bool required,
                     const std::function<std::string(const json::value&)>& read) {
  const json::value* list = object.if_contains(key);
  if (list == nullptr && !required) return "";
  if (list == nullptr || !list->is_array() || (required && list->get_array().empty())) {
    return std::string("has no list \"") + key + "\" with at least one entry";
  }
  std::size_t index = 0;
  for (const json::value& entry : list->get_array()) {
    const std::string wrong = read(entry);
    if (!wrong.empty()) return std::string(key) + "[" + std::to_string(index) + "]: " + wrong;
    ++index;
  }
  return "";
}

}  // namespace

Result<PlacementProblem> ReadPlacementFile(const std::filesystem::path& file) {
  const auto value = ReadJsonFile(file, "hosts");
  if (!value) return value.error();
  if (!value->is_object()) return Bad(file.string() + ": is not an object");
  const json::object& object = value->get_object();
  for (const auto& field : object) {
    if (field.key() != "hosts" && field.key() != "experts" && field.key() != "handoffs") {
      return Bad(file.string() + ": \"" + std::string(field.key()) + "\" is not known (hosts, experts, handoffs)");
    }
  }
  PlacementProblem problem;
  std::map<std::string, std::size_t> hosts, experts;
  const auto fresh = [](std::map<std::string, std::size_t>& names, const std::string& name) -> std::string {
    return names.emplace(name, names.size()).second ? "" : "the name \"" + name + "\" is there twice";
  };
  std::string wrong = ReadList(object, "hosts", true, [&](const json::value& entry) {
    PlacedHost& host = problem.hosts.emplace_back();
    std::string flaw = ReadHost(entry, host);
    return flaw.empty() ? fresh(hosts, host.name) : flaw;
  });
  if (wrong.empty()) {
    wrong = ReadList(object, "experts", true, [&](const json::value& entry) {
      PlacedExpert& expert = problem.experts.emplace_back();
      std::string flaw = ReadExpert(entry, expert);
      return flaw.empty() ? fresh(experts, expert.name) : flaw;
    });
  }
  if (wrong.empty()) {
    wrong = ReadList(object, "handoffs", false, [&](const json::value& entry) {
      return ReadHandOff(entry, experts, problem.handoffs.emplace_back());
    });
  }
  if (!wrong.empty()) return Bad(file.string() + ": " + wrong);
  return problem;
}

}  // namespace pointsman::offline
