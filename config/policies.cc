// The section policies.
#include "config/map_file.h"
#include "config/mapping.h"
#include "config/sections.h"

namespace pointsman::config {
namespace {

void ReadPolicy(const Value& value, std::span<const std::string_view> experts, const std::filesystem::path& folder,
                Policy& policy, std::string& sums) {
  Section section(value);
  auto score =
      section.Require("score", "how experts are scored: category_map or pinned").Choice({"category_map", "pinned"});
  const Value map = section.Take("map"), pinned = section.Take("experts");
  section.Take("select").Choice({"best"});
  section.Take("run").Choice({"single"});
  section.Finish();
  if (!score) return;

  if (*score == "category_map") {
    CategoryMap& chosen = policy.score.emplace<CategoryMap>();
    if (section.Has("experts")) pinned.Fail("belongs to score: pinned (category_map has map)");
    if (!section.Has("map")) value.Fail("has no \"map\" (score: category_map needs it: category to experts)");
    if (section.Has("map")) ReadCategoryMap(map, folder, experts, chosen, sums);
  } else {
    Pinned& chosen = policy.score.emplace<Pinned>();
    if (section.Has("map")) map.Fail("belongs to score: category_map (pinned has experts)");
    if (!section.Has("experts")) value.Fail("has no \"experts\" (score: pinned needs them, in fallback order)");
    chosen.experts = ReadCandidates(pinned, experts);
  }
}

}  // namespace

void ReadPolicies(const Value& value, std::span<const std::string_view> experts, const std::filesystem::path& folder,
                  std::vector<Policy>& policies, std::string& sums) {
  constexpr std::size_t kMost = 100;  // metric labels are bounded by it
  for (const auto& [name, entry] : value.Entries("a policy", true)) {
    if (policies.size() == kMost) {
      value.Fail("has more than " + std::to_string(kMost) + " policies");
      return;
    }
    Policy& policy = policies.emplace_back();
    policy.name = name;
    ReadPolicy(entry, experts, folder, policy, sums);
  }
}

}  // namespace pointsman::config
