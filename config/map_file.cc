#include "config/map_file.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "config/checksum.h"
#include "config/names.h"
#include "config/secret.h"
#include "config/sections.h"

namespace pointsman::config {
namespace {

constexpr std::size_t kLargestFile = std::size_t{4} << 20;

void ReadEntries(const Value& value, std::span<const std::string_view> experts, CategoryMap& map) {
  for (const auto& [category, entry] : value.Entries("a category", false)) {
    map.experts[category] = ReadCandidates(entry, experts);
  }
  if (value.IsMap() && !map.experts.contains("general")) {
    value.Fail(
        "has no \"general\" (it is required: it serves uncertain requests and the categories that are not named)");
  }
}

// One expert's figure: its place in the catalogue, and the number.
std::optional<std::pair<std::size_t, double>> ReadFigure(const std::string& name, const Value& entry,
                                                         std::span<const std::string_view> experts, Range range) {
  const auto found = std::find(experts.begin(), experts.end(), name);
  if (found == experts.end()) {
    entry.Fail("there is no expert " + Quote(name) + " (" + Suggest(name, experts, "experts") + ")");
    return std::nullopt;
  }
  auto number = entry.Real(range);
  if (!number) return std::nullopt;
  return std::pair(static_cast<std::size_t>(found - experts.begin()), *number);
}

bool SameExperts(const std::vector<double>& a, const std::vector<double>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), [](double x, double y) { return std::isnan(x) == std::isnan(y); });
}

void ReadValues(const Value& value, std::span<const std::string_view> experts, CategoryMap& map) {
  const std::vector<double> unknown(experts.size(), std::numeric_limits<double>::quiet_NaN());
  for (const auto& [category, row] : value.Entries("a category", false)) {
    std::vector<double>& worth = map.worth.emplace(category, unknown).first->second;
    for (const auto& [name, entry] : row.Entries("an expert", true)) {
      if (auto figure = ReadFigure(name, entry, experts, {0, 1})) worth[figure->first] = figure->second;
    }
    if (!SameExperts(worth, map.worth.begin()->second)) row.Fail("has not the same experts as the other categories");
  }
  if (!value.IsMap()) return;
  if (!map.worth.contains("general")) value.Fail("has no \"general\"");
}

void ReadCharges(const Value& value, std::span<const std::string_view> experts, std::vector<double>& charges) {
  for (const auto& [name, entry] : value.Entries("an expert", true)) {
    if (auto figure = ReadFigure(name, entry, experts, {-1e6, 1e6})) charges[figure->first] = figure->second;
  }
}

void ReadDocument(const Value& root, std::span<const std::string_view> experts, CategoryMap& map) {
  bool version = false, categories = false;
  std::vector<double> charges(experts.size(), 0);
  for (const auto& [key, entry] : root.Entries("a key", false)) {
    if (key == "version") {
      version = true;
      if (auto number = entry.Number<unsigned>(1, 1'000'000, "of the format"); number && *number != kMapFileVersion) {
        entry.Fail("is " + std::to_string(*number) + ", but this program reads version " +
                   std::to_string(kMapFileVersion) + " (make the file anew with pointsman map)");
        return;
      }
    } else if (key == "categories") {
      categories = true;
      ReadEntries(entry, experts, map);
    } else if (key == "values") {
      ReadValues(entry, experts, map);
    } else if (key == "charges") {
      ReadCharges(entry, experts, charges);
    } else if (key != "report") {
      entry.Fail("is not known (version, categories, values, charges, report)");
    }
  }
  for (auto& [category, worth] : map.worth) {
    for (std::size_t e = 0; e < worth.size(); ++e) worth[e] -= charges[e];
  }
  if (!root.IsMap()) return;
  if (!version) root.Fail("has no \"version\" (is this a file of pointsman map?)");
  if (!categories) root.Fail("has no \"categories\" (category to experts)");
}

}  // namespace

std::optional<std::size_t> ReadExpertName(const Value& value, std::span<const std::string_view> experts) {
  auto name = value.Text(1, 256);
  if (!name) return std::nullopt;
  const auto found = std::find(experts.begin(), experts.end(), *name);
  if (found != experts.end()) return static_cast<std::size_t>(found - experts.begin());
  value.Fail("there is no expert " + Quote(*name) + " (" + Suggest(*name, experts, "experts") + ")");
  return std::nullopt;
}

Experts ReadCandidates(const Value& value, std::span<const std::string_view> experts) {
  Experts candidates;
  auto items = value.List(1, 64);
  if (!items) return candidates;
  for (const Value& item : *items) {
    const auto expert = ReadExpertName(item, experts);
    if (!expert) continue;
    if (std::find(candidates.begin(), candidates.end(), *expert) != candidates.end()) {
      item.Fail(Quote(experts[*expert]) + " is there twice (a candidate is asked once)");
    } else {
      candidates.push_back(*expert);
    }
  }
  return candidates;
}

void ReadCategoryMap(const Value& value, const std::filesystem::path& folder, std::span<const std::string_view> experts,
                     CategoryMap& map, std::string& sums) {
  if (!value.IsScalar()) {
    ReadEntries(value, experts, map);
    return;
  }
  auto name = value.Text(1, 4096);
  if (!name) return;
  const std::filesystem::path file = Resolve(folder, *name);
  auto text = ReadWholeFile(file, kLargestFile);
  if (!text) {
    value.Fail(text.error().message + " (write a map here, or the name of a file of pointsman map)");
    return;
  }
  sums += Sha256Hex(*text);
  Findings findings{file.string(), {}, {}};
  try {
    ReadDocument(Value(&findings, "", "", {1, 1}, YAML::Load(*text)), experts, map);
  } catch (const YAML::Exception& error) {
    findings.Add(PlaceOf(error.mark), "", "is not JSON: " + error.msg);
  }
  std::vector<Problem>& problems = value.findings()->problems;
  problems.insert(problems.end(), findings.problems.begin(), findings.problems.end());
}

}  // namespace pointsman::config
