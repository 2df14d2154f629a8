// The section policies.
#include <algorithm>

#include "config/mapping.h"
#include "config/names.h"
#include "config/sections.h"

namespace pointsman::config {
namespace {

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

void ReadPolicy(const Value& value, std::span<const std::string_view> experts, Policy& policy) {
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
    for (const auto& [category, entry] : map.Entries("a category", false)) {
      chosen.experts[category] = ReadCandidates(entry, experts);
    }
    if (map.IsMap() && !chosen.experts.contains("general")) {
      map.Fail(
          "has no \"general\" (it is required: it serves uncertain requests and the categories that are not named)");
    }
  } else {
    Pinned& chosen = policy.score.emplace<Pinned>();
    if (section.Has("map")) map.Fail("belongs to score: category_map (pinned has experts)");
    if (!section.Has("experts")) value.Fail("has no \"experts\" (score: pinned needs them, in fallback order)");
    chosen.experts = ReadCandidates(pinned, experts);
  }
}

}  // namespace

void ReadPolicies(const Value& value, std::span<const std::string_view> experts, std::vector<Policy>& policies) {
  constexpr std::size_t kMost = 100;  // metric labels are bounded by it
  for (const auto& [name, entry] : value.Entries("a policy", true)) {
    if (policies.size() == kMost) {
      value.Fail("has more than " + std::to_string(kMost) + " policies");
      return;
    }
    Policy& policy = policies.emplace_back();
    policy.name = name;
    ReadPolicy(entry, experts, policy);
  }
}

}  // namespace pointsman::config
