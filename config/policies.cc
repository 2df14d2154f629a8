// The section policies.
#include <algorithm>

#include "config/map_file.h"
#include "config/mapping.h"
#include "config/names.h"
#include "config/sections.h"

namespace pointsman::config {
namespace {

// An expert by its name.
std::optional<std::string> ReadExpert(const Value& value, std::span<const std::string_view> experts) {
  auto name = value.Text(1, 256);
  if (!name || std::find(experts.begin(), experts.end(), *name) != experts.end()) return name;
  value.Fail("there is no expert " + Quote(*name) + " (" + Suggest(*name, experts, "experts") + ")");
  return std::nullopt;
}

struct PredictorKeys {
  Value artifact, lambda, cost, weak, strong, strong_share;
};

void ReadPredicted(const Value& value, const Section& section, const PredictorKeys& keys,
                   std::span<const std::string_view> experts, const std::filesystem::path& folder, Predicted& chosen) {
  if (auto file = keys.artifact.Text(1, 4096)) chosen.artifact = Resolve(folder, *file);
  if (!section.Has("artifact"))
    value.Fail("has no \"artifact\" (score: predictor needs it: pointsman train predictor)");
  Set(chosen.lambda, keys.lambda.Real({0, 1e6}));
  if (auto cost = keys.cost.Choice({"price", "parameters"})) {
    chosen.cost = *cost == "price" ? Cost::kPrice : Cost::kParameters;
    if (chosen.lambda == 0) keys.cost.Fail("has no effect without lambda above 0");
  }
  const auto weak = ReadExpert(keys.weak, experts), strong = ReadExpert(keys.strong, experts);
  const auto share = keys.strong_share.Real({0, 1});
  const bool all = section.Has("weak") && section.Has("strong") && section.Has("strong_share");
  const bool any = section.Has("weak") || section.Has("strong") || section.Has("strong_share");
  if (any && !all) value.Fail("needs weak, strong and strong_share together");
  if (any && section.Has("lambda")) keys.lambda.Fail("cannot stand beside strong_share (one of them decides)");
  if (weak && strong && *weak == *strong) keys.strong.Fail("is the weak expert too");
  if (weak && strong && share) chosen.pair = Pair{*weak, *strong, *share};
}

void ReadPolicy(const Value& value, std::span<const std::string_view> experts, const std::filesystem::path& folder,
                Policy& policy, std::string& sums) {
  Section section(value);
  auto score = section.Require("score", "how experts are scored: category_map, predictor or pinned")
                   .Choice({"category_map", "predictor", "pinned"});
  const Value map = section.Take("map"), uncertain = section.Take("uncertain"), pinned = section.Take("experts");
  const PredictorKeys predictor = {section.Take("artifact"), section.Take("lambda"), section.Take("cost"),
                                   section.Take("weak"),     section.Take("strong"), section.Take("strong_share")};
  section.Take("select").Choice({"best"});
  section.Take("run").Choice({"single"});
  section.Finish();
  if (!score) return;
  if (*score != "category_map" && uncertain.present()) uncertain.Fail("belongs to score: category_map");
  if (*score != "predictor") {
    for (const Value& key : {predictor.artifact, predictor.lambda, predictor.cost, predictor.weak, predictor.strong,
                             predictor.strong_share}) {
      if (key.present()) key.Fail("belongs to score: predictor");
    }
  }

  if (*score == "category_map") {
    CategoryMap& chosen = policy.score.emplace<CategoryMap>();
    if (section.Has("experts")) pinned.Fail("belongs to score: pinned (category_map has map)");
    if (!section.Has("map")) value.Fail("has no \"map\" (score: category_map needs it: category to experts)");
    if (section.Has("map")) ReadCategoryMap(map, folder, experts, chosen, sums);
    if (auto rule = uncertain.Choice({"expectation", "general"})) {
      chosen.uncertain = *rule == "general" ? Uncertain::kGeneral : Uncertain::kExpectation;
    }
  } else if (*score == "predictor") {
    if (section.Has("map")) map.Fail("belongs to score: category_map (predictor has artifact)");
    if (section.Has("experts")) pinned.Fail("belongs to score: pinned (predictor has artifact)");
    ReadPredicted(value, section, predictor, experts, folder, policy.score.emplace<Predicted>());
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
