#include "config/map_file.h"

#include <algorithm>

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

void ReadDocument(const Value& root, std::span<const std::string_view> experts, CategoryMap& map) {
  bool version = false, categories = false;
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
    } else if (key != "report") {
      entry.Fail("is not known (version, categories, report)");
    }
  }
  if (!root.IsMap()) return;
  if (!version) root.Fail("has no \"version\" (is this a file of pointsman map?)");
  if (!categories) root.Fail("has no \"categories\" (category to experts)");
}

}  // namespace

std::vector<std::string> ReadCandidates(const Value& value, std::span<const std::string_view> experts) {
  std::vector<std::string> candidates;
  auto items = value.List(1, 64);
  if (!items) return candidates;
  for (const Value& item : *items) {
    auto name = item.Text(1, 256);
    if (!name) continue;
    if (std::find(experts.begin(), experts.end(), *name) == experts.end()) {
      item.Fail("there is no expert " + Quote(*name) + " (" + Suggest(*name, experts, "experts") + ")");
    } else if (std::find(candidates.begin(), candidates.end(), *name) != candidates.end()) {
      item.Fail(Quote(*name) + " is there twice (a candidate is asked once)");
    } else {
      candidates.push_back(*std::move(name));
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
