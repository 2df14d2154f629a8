// router/offline/build_map_report.cc: a BuiltMap as text, as JSON and as the file that a configuration names.
#include <algorithm>
#include <boost/json.hpp>

#include "config/map_file.h"
#include "router/offline/build_map.h"
#include "router/offline/format.h"
#include "router/version.h"

namespace pointsman::offline {
namespace {

namespace json = boost::json;

std::string Names(const BuiltMap& map, const std::vector<bool>& used) {
  std::string names;
  for (std::size_t m = 0; m < used.size(); ++m) {
    if (used[m]) names += (names.empty() ? "" : ", ") + map.facts[m].name;
  }
  return names;
}

std::string FrontierText(const BuiltMap& map, const char* title, const std::vector<FrontierPoint>& frontier) {
  if (frontier.empty()) return "";
  std::string text = std::string("\n") + title + ", billions\n   limit  quality  deployed  active    gap  experts\n";
  for (const FrontierPoint& point : frontier) {
    text += Format("%8.1f  %6.2f %%  %8.1f  %6.1f  %5.2f  ", point.limit, 100 * point.solution.quality,
                   point.solution.deployed, point.solution.active, 100 * point.solution.gap) +
            Names(map, point.solution.used) + "\n";
  }
  return text;
}

json::array FrontierJson(const BuiltMap& map, const std::vector<FrontierPoint>& frontier) {
  json::array points;
  for (const FrontierPoint& point : frontier) {
    json::array experts;
    for (std::size_t m = 0; m < point.solution.used.size(); ++m) {
      if (point.solution.used[m]) experts.push_back(json::value(map.facts[m].name));
    }
    points.push_back({{"limit_billion", point.limit},
                      {"quality", point.solution.quality},
                      {"deployed_billion", point.solution.deployed},
                      {"mean_active_billion", point.solution.active},
                      {"gap", point.solution.gap},
                      {"experts", experts}});
  }
  return points;
}

std::string Unit(const ShadowPrice& price) { return price.limit == "max_price" ? " USD" : " B"; }

}  // namespace

std::string MapText(const BuiltMap& map) {
  std::string text =
      Format("%zu rows, %zu categories, %zu experts\n", map.rows, map.categories.size(), map.facts.size());
  for (std::size_t m = 0; m < map.facts.size(); ++m) {
    if (!map.why_not[m].empty()) text += "  left out: " + map.facts[m].name + ": " + map.why_not[m] + "\n";
  }
  text += Format("spread of an expert's advantage over categories: %.2f points; shrinkage scale %.4g\n",
                 100 * map.values.spread, map.values.scale);
  text += "\n  category                    rows   share   value  experts, in fallback order\n";
  for (const CategoryChoice& choice : map.choices) {
    const auto found = std::find(map.categories.begin(), map.categories.end(), choice.name);
    const bool measured = found != map.categories.end();
    std::string experts;
    for (const std::size_t m : choice.experts) experts += (experts.empty() ? "" : ", ") + map.facts[m].name;
    const double value =
        measured ? map.values.value[static_cast<std::size_t>(found - map.categories.begin())][choice.experts[0]] : 0;
    text += Format("  %-24s %7zu  %5.1f %%", choice.name.c_str(), choice.rows, 100 * choice.share) +
            (measured ? Format("  %5.1f %%  ", 100 * value) : std::string("        -  ")) + experts + "\n";
  }
  const MapSolution& s = map.solution;
  text += Format("\nestimated quality %.2f %% (best single expert %.2f %%: %s)\n", 100 * s.quality,
                 100 * map.best_single_quality, map.facts[map.best_single].name.c_str());
  text += s.gap == 0 ? "proven optimal for these estimates (gap 0)\n"
                     : Format("gap %.3g points: nothing better than %.2f %% exists\n", 100 * s.gap, 100 * s.bound);
  if (s.deployed > 0) text += Format("deployed %.1f B, mean active %.2f B\n", s.deployed, s.active);
  if (s.price > 0) text += Format("mean price %.4f USD a million tokens\n", s.price);
  for (const ShadowPrice& price : map.shadow_prices) {
    text += Format("%.4g%s more of %s buy %.2f points (solved again at that limit)\n", price.step, Unit(price).c_str(),
                   price.limit.c_str(), 100 * price.gain);
  }
  text += FrontierText(map, "Limit on deployed parameters", map.deployed_frontier);
  text += FrontierText(map, "Limit on mean active parameters", map.active_frontier);
  if (!map.same.empty())
    text += "\nExperts that these rows cannot tell apart (paired tests, p > 0.05 over all and by category)\n";
  for (const SameExperts& pair : map.same) {
    text += "  " + map.facts[pair.a].name + " and " + map.facts[pair.b].name +
            Format(": %zu shared rows, difference %+.2f points, p %.2f and %.2f, equal on %.1f %%%s\n", pair.rows,
                   100 * pair.difference, pair.p_overall, pair.p_categories, 100 * pair.agreement,
                   pair.duplicate ? ": near-duplicates" : "");
  }
  return text;
}

std::string MapJson(const BuiltMap& map) {
  json::array inputs, experts, categories, prices, same;
  for (const auto& [file, sum] : map.inputs) inputs.push_back({{"file", file}, {"sha256", sum}});
  for (std::size_t m = 0; m < map.facts.size(); ++m) {
    experts.push_back({{"name", map.facts[m].name},
                       {"used", static_cast<bool>(map.solution.used[m])},
                       {"left_out", map.why_not[m].empty() ? json::value(nullptr) : json::value(map.why_not[m])}});
  }
  for (const CategoryChoice& choice : map.choices) {
    json::array names, values, deviations;
    const auto found = std::find(map.categories.begin(), map.categories.end(), choice.name);
    for (const std::size_t m : choice.experts) {
      names.push_back(json::value(map.facts[m].name));
      if (found == map.categories.end()) continue;
      const auto c = static_cast<std::size_t>(found - map.categories.begin());
      values.push_back(map.values.value[c][m]);
      deviations.push_back(map.values.deviation[c][m]);
    }
    categories.push_back({{"name", choice.name},
                          {"rows", choice.rows},
                          {"share", choice.share},
                          {"experts", names},
                          {"values", values},
                          {"deviations", deviations}});
  }
  for (const ShadowPrice& price : map.shadow_prices) {
    prices.push_back({{"limit", price.limit}, {"step", price.step}, {"quality_gain", price.gain}});
  }
  for (const SameExperts& pair : map.same) {
    same.push_back({{"experts", {map.facts[pair.a].name, map.facts[pair.b].name}},
                    {"rows", pair.rows},
                    {"difference", pair.difference},
                    {"p_overall", pair.p_overall},
                    {"p_categories", pair.p_categories},
                    {"agreement", pair.agreement},
                    {"near_duplicate", pair.duplicate}});
  }
  const MapSolution& s = map.solution;
  const json::object out = {{"created_by", std::string("pointsman ") + kVersion},
                            {"inputs", inputs},
                            {"rows", map.rows},
                            {"quality", s.quality},
                            {"bound", s.bound},
                            {"gap", s.gap},
                            {"best_single", map.facts[map.best_single].name},
                            {"best_single_quality", map.best_single_quality},
                            {"deployed_billion", s.deployed},
                            {"mean_active_billion", s.active},
                            {"mean_price", s.price},
                            {"experts", experts},
                            {"categories", categories},
                            {"shadow_prices", prices},
                            {"deployed_frontier", FrontierJson(map, map.deployed_frontier)},
                            {"active_frontier", FrontierJson(map, map.active_frontier)},
                            {"same_experts", same}};
  return json::serialize(out);
}

namespace {

// The values of the used experts, as a line of the map file.
std::string ValuesLine(const BuiltMap& map, const std::string& category, const std::vector<double>& values) {
  json::object row;
  for (std::size_t m = 0; m < values.size(); ++m) {
    if (map.solution.used[m]) row[map.facts[m].name] = values[m];
  }
  return "    " + json::serialize(json::value(category)) + ": " + json::serialize(row);
}

}  // namespace

std::string MapFileText(const BuiltMap& map) {
  std::string text = "{\n  \"version\": " + std::to_string(config::kMapFileVersion) + ",\n  \"categories\": {\n";
  for (std::size_t c = 0; c < map.choices.size(); ++c) {
    json::array names;
    for (const std::size_t m : map.choices[c].experts) names.push_back(json::value(map.facts[m].name));
    text += "    " + json::serialize(json::value(map.choices[c].name)) + ": " + json::serialize(names) +
            (c + 1 < map.choices.size() ? ",\n" : "\n");
  }
  text += "  },\n  \"values\": {\n";
  std::vector<double> mean(map.facts.size(), 0);
  bool general = false;
  for (std::size_t c = 0; c < map.categories.size(); ++c) {
    general |= map.categories[c] == "general";
    for (std::size_t m = 0; m < mean.size(); ++m) mean[m] += map.share[c] * map.values.value[c][m];
    text += ValuesLine(map, map.categories[c], map.values.value[c]) + ",\n";
  }
  if (general) {
    text.erase(text.size() - 2, 1);
  } else {
    text += ValuesLine(map, "general", mean) + "\n";
  }
  json::object charges;
  for (std::size_t m = 0; m < map.facts.size(); ++m) {
    if (map.solution.used[m] && map.solution.charge[m] != 0) charges[map.facts[m].name] = map.solution.charge[m];
  }
  text += "  },\n  \"charges\": " + json::serialize(charges);
  return text + ",\n  \"report\": " + MapJson(map) + "\n}\n";
}

}  // namespace pointsman::offline
