// How a policy scores experts.
#include <algorithm>

#include "config/map_file.h"
#include "config/policy_parts.h"
#include "config/sections.h"

namespace pointsman::config {
namespace {

void ReadMap(PolicyReader& reader, CategoryMap& chosen) {
  const Value map = reader.section.Take("map");
  if (auto rule = reader.section.Take("uncertain").Choice({"expectation", "general"})) {
    chosen.uncertain = *rule == "general" ? Uncertain::kGeneral : Uncertain::kExpectation;
  }
  if (map.present()) {
    ReadCategoryMap(map, reader.folder, reader.experts, chosen, reader.sums);
  } else {
    reader.value.Fail("has no \"map\" (score: category_map needs it: category to experts)");
  }
}

void ReadPredicted(PolicyReader& reader, Predicted& chosen) {
  Section& section = reader.section;
  const Value lambda = section.Take("lambda"), cost = section.Take("cost"), strong = section.Take("strong");
  if (auto file = section.Take("artifact").Text(1, 4096)) chosen.artifact = Resolve(reader.folder, *file);
  if (!section.Has("artifact"))
    reader.value.Fail("has no \"artifact\" (score: predictor needs it: pointsman train predictor)");
  Set(chosen.lambda, lambda.Real({0, 1e6}));
  if (auto unit = cost.Choice({"price", "parameters"})) {
    chosen.cost = *unit == "price" ? Cost::kPrice : Cost::kParameters;
    if (chosen.lambda == 0) cost.Fail("has no effect without lambda above 0");
  }
  const auto weak_expert = ReadExpertName(section.Take("weak"), reader.experts);
  const auto strong_expert = ReadExpertName(strong, reader.experts);
  const auto share = section.Take("strong_share").Real({0, 1});
  const bool all = section.Has("weak") && section.Has("strong") && section.Has("strong_share");
  const bool any = section.Has("weak") || section.Has("strong") || section.Has("strong_share");
  if (any && !all) reader.value.Fail("needs weak, strong and strong_share together");
  if (any && section.Has("lambda")) lambda.Fail("cannot stand beside strong_share (one of them decides)");
  if (weak_expert && strong_expert && *weak_expert == *strong_expert) strong.Fail("is the weak expert too");
  if (weak_expert && strong_expert && share) chosen.pair = Pair{*weak_expert, *strong_expert, *share};
}

void ReadGates(PolicyReader& reader, Gates& chosen) {
  Section& section = reader.section;
  if (!section.Has("gates")) {
    reader.value.Fail("has no \"gates\" (score: gates needs them: expert to a file of pointsman train gate)");
  }
  const Value gates = section.Take("gates");
  for (const auto& [name, entry] : gates.Entries("an expert", true)) {
    const auto found = std::find(reader.experts.begin(), reader.experts.end(), name);
    auto file = entry.Text(1, 4096);
    if (found == reader.experts.end()) {
      entry.Fail("there is no expert \"" + name + "\" (a gate belongs to an expert)");
    } else if (file) {
      chosen.files[static_cast<std::size_t>(found - reader.experts.begin())] = Resolve(reader.folder, *file);
    }
  }
  if (gates.IsMap() && gates.node().size() == 0) gates.Fail("is empty (at least one expert needs a gate)");
  Set(chosen.form, section.Take("form").Text(1, 64));
  Set(chosen.carry, section.Take("carry").Real({0, 0.99}));
}

Experts RequireExperts(PolicyReader& reader, const std::string& score) {
  const Value experts = reader.section.Take("experts");
  if (experts.present()) return ReadCandidates(experts, reader.experts);
  reader.value.Fail("has no \"experts\" (score: " + score + " needs them" +
                    (score == "pinned" ? ", in fallback order)" : ")"));
  return {};
}

}  // namespace

void PolicyReader::Refuse(std::initializer_list<std::string_view> keys, std::string_view owner) {
  for (std::string_view key : keys) {
    if (const Value entry = section.Take(key); entry.present()) entry.Fail("belongs to " + std::string(owner));
  }
}

void ReadScore(PolicyReader& reader, Score& score) {
  auto choice =
      reader.section.Require("score", "how experts are scored: category_map, predictor, gates, pinned or random")
          .Choice({"category_map", "predictor", "gates", "pinned", "random"});
  const std::string name = choice.value_or("");
  const auto others = [&](std::string_view mine, std::initializer_list<std::string_view> keys) {
    if (choice && name != mine) {
      reader.Refuse(keys, "score: " + std::string(mine));
    } else if (!choice) {
      for (std::string_view key : keys) reader.section.Take(key);
    }
  };
  others("category_map", {"map", "uncertain"});
  others("predictor", {"artifact", "lambda", "cost", "weak", "strong", "strong_share"});
  others("gates", {"gates", "form", "carry"});
  if (name != "random") others("pinned", {"experts"});
  if (name == "category_map") ReadMap(reader, score.emplace<CategoryMap>());
  if (name == "predictor") ReadPredicted(reader, score.emplace<Predicted>());
  if (name == "gates") ReadGates(reader, score.emplace<Gates>());
  if (name == "pinned") score.emplace<Pinned>().experts = RequireExperts(reader, name);
  if (name == "random") score.emplace<Random>().experts = RequireExperts(reader, name);
}

}  // namespace pointsman::config
