#include "router/offline/build_map.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "config/checksum.h"

namespace pointsman::offline {
namespace {

Error Bad(std::string message) { return InvalidArgument("options", std::move(message)); }

bool Has(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// Why an expert may not be used, or "".
std::string WhyNot(const MapOptions& o, const ExpertFacts& e) {
  if (o.max_p95_ms && !e.p95_ms) return "its p95_ms is not known";
  if (o.max_p95_ms && *e.p95_ms > *o.max_p95_ms) return "too slow";
  if (!o.licences.empty() && e.licence.empty()) return "its licence is not known";
  if (!o.licences.empty() && !Has(o.licences, e.licence)) return "licence " + e.licence;
  if (!o.regions.empty() && e.regions.empty()) return "its regions are not known";
  for (const std::string& region : e.regions) {
    if (!o.regions.empty() && !Has(o.regions, region)) return "runs in " + region;
  }
  return "";
}

// The figure of every expert; empty when some expert lacks it.
std::vector<double> Figures(const std::vector<ExpertFacts>& facts, std::optional<double> ExpertFacts::*figure) {
  std::vector<double> figures;
  for (const ExpertFacts& e : facts) {
    if (!(e.*figure)) return {};
    figures.push_back(*(e.*figure));
  }
  return figures;
}

Result<void> CheckFigures(const MapOptions& o, const MapProblem& p) {
  const auto missing = [](const char* option, const char* key) {
    return Bad(std::string(option) + " needs an --experts file with \"" + key + "\" for every expert");
  };
  if (o.max_deployed && p.size.empty()) return missing("--max-deployed", "total_billion (or active_billion)");
  if (o.max_active && p.active.empty()) return missing("--max-active", "active_billion");
  if (o.max_price && p.price.empty()) return missing("--max-price", "price");
  return {};
}

Result<std::vector<double>> Shares(const MapOptions& o, const Outcomes& outcomes, const Values& values) {
  if (o.share.empty()) return values.share;
  std::vector<double> shares;
  for (const std::string& category : outcomes.categories) {
    const auto found = o.share.find(category);
    if (found == o.share.end()) return Bad("--share names some categories, but not \"" + category + "\"");
    shares.push_back(found->second);
  }
  for (const auto& [name, weight] : o.share) {
    if (!Has(outcomes.categories, name)) return Bad("--share: no row has the category \"" + name + "\"");
    if (!(weight >= 0)) return Bad("--share: the weight of \"" + name + "\" is negative");
  }
  const double total = std::accumulate(shares.begin(), shares.end(), 0.0);
  if (total <= 0) return Bad("--share: all weights are 0");
  for (double& share : shares) share /= total;
  return shares;
}

// `first` and the other used experts by `value`, best first.
std::vector<std::size_t> Ranked(std::optional<std::size_t> first, const std::vector<bool>& used,
                                const std::vector<double>& value, std::size_t most) {
  std::vector<std::size_t> others;
  for (std::size_t m = 0; m < used.size(); ++m) {
    if (used[m] && m != first) others.push_back(m);
  }
  std::stable_sort(others.begin(), others.end(), [&](std::size_t a, std::size_t b) { return value[a] > value[b]; });
  if (first) others.insert(others.begin(), *first);
  if (others.size() > most) others.resize(most);
  return others;
}

std::vector<double> TrafficMean(const MapProblem& p) {
  std::vector<double> mean(p.allowed.size(), 0);
  for (std::size_t c = 0; c < p.value.size(); ++c) {
    for (std::size_t m = 0; m < mean.size(); ++m) mean[m] += p.share[c] * p.value[c][m];
  }
  return mean;
}

// Solutions at limits from `least` to `most`; those that cannot be kept are left out.
std::vector<FrontierPoint> Frontier(MapProblem p, std::optional<double> MapProblem::*limit, double least, double most,
                                    std::size_t points, const std::function<void(double)>& progress) {
  std::vector<FrontierPoint> frontier;
  for (std::size_t i = 0; i < points; ++i) {
    progress(static_cast<double>(i) / static_cast<double>(points));
    p.*limit = least + (most - least) * static_cast<double>(i) / static_cast<double>(points - 1);
    auto solved = SolveMap(p);
    if (solved) frontier.push_back({*(p.*limit), *std::move(solved)});
  }
  return frontier;
}

void Choices(const MapOptions& o, const Outcomes& outcomes, const MapProblem& p, BuiltMap& map) {
  std::vector<std::size_t> rows(outcomes.categories.size(), 0);
  for (const Outcome& row : outcomes.rows) ++rows[row.category];
  for (std::size_t c = 0; c < outcomes.categories.size(); ++c) {
    map.choices.push_back({outcomes.categories[c], p.share[c], rows[c],
                           Ranked(map.solution.expert[c], map.solution.used, p.value[c], o.fallbacks + 1)});
  }
  if (!Has(outcomes.categories, "general")) {
    map.choices.push_back({"general", 0, 0, Ranked(std::nullopt, map.solution.used, TrafficMean(p), o.fallbacks + 1)});
  }
}

Result<void> Explore(const MapOptions& o, const MapProblem& p, BuiltMap& map) {
  const auto stage = [&o](std::string_view name) {
    return [&o, name](double share) {
      if (o.progress) o.progress(name, share);
    };
  };
  const auto least = [&p](const std::vector<double>& of) {
    double value = std::numeric_limits<double>::infinity();
    for (std::size_t m = 0; m < of.size(); ++m) {
      if (p.allowed[m]) value = std::min(value, of[m]);
    }
    return value;
  };
  // Beyond what the map without this limit uses, nothing changes.
  const auto frontier = [&](std::optional<double> MapProblem::*limit, const std::vector<double>& of,
                            double MapSolution::*use, const char* name, std::vector<FrontierPoint>& out) {
    if (of.empty()) return;
    MapProblem free = p;
    free.*limit = std::nullopt;
    auto solved = SolveMap(free);
    if (!solved) return;
    out = Frontier(p, limit, least(of), std::max((*solved).*use, least(of)), o.points, stage(name));
  };
  frontier(&MapProblem::max_deployed, p.size, &MapSolution::deployed, "frontier, deployed", map.deployed_frontier);
  frontier(&MapProblem::max_active, p.active, &MapSolution::active, "frontier, active", map.active_frontier);

  const auto price = [&](const char* name, std::optional<double> MapProblem::*limit, double step) -> Result<void> {
    if (!(p.*limit)) return {};
    MapProblem more = p;
    more.*limit = *(p.*limit) + step;
    auto solved = SolveMap(more);
    if (!solved) return std::move(solved).error();
    map.shadow_prices.push_back({name, step, solved->quality - map.solution.quality});
    return {};
  };
  if (auto r = price("max_deployed", &MapProblem::max_deployed, o.delta); !r) return r;
  if (auto r = price("max_active", &MapProblem::max_active, o.delta); !r) return r;
  return price("max_price", &MapProblem::max_price, o.max_price ? *o.max_price / 10 : 0);
}

}  // namespace

Result<BuiltMap> BuildMap(const MapOptions& o) {
  if (o.points < 2) return Bad("--points is not at least 2");
  if (!(o.min_share >= 0 && o.min_share <= 1)) return Bad("--min-share is not in [0, 1]");
  if (!(o.delta > 0)) return Bad("--delta is not above 0");
  BuiltMap map;
  OutcomeOptions read{o.outcomes, {}, o.range, false};
  if (!o.experts.empty()) {
    auto facts = ReadExpertsFile(o.experts);
    if (!facts) return std::move(facts).error();
    map.facts = *std::move(facts);
    for (const ExpertFacts& e : map.facts) read.experts.push_back(e.name);
  }
  auto outcomes = ReadOutcomes(read);
  if (!outcomes) return std::move(outcomes).error();
  if (map.facts.empty()) {
    for (const std::string& name : outcomes->experts) map.facts.emplace_back().name = name;
  }
  std::vector<std::size_t> all(outcomes->rows.size());
  std::iota(all.begin(), all.end(), 0);
  map.rows = all.size();
  map.categories = outcomes->categories;
  map.values = EstimateValues(*outcomes, all);
  auto shares = Shares(o, *outcomes, map.values);
  if (!shares) return std::move(shares).error();
  map.share = *shares;

  MapProblem p;
  p.value = map.values.value;
  p.share = *std::move(shares);
  p.size = Figures(map.facts, &ExpertFacts::total_billion);
  p.active = Figures(map.facts, &ExpertFacts::active_billion);
  p.price = Figures(map.facts, &ExpertFacts::price);
  if (auto checked = CheckFigures(o, p); !checked) return checked.error();
  std::vector<std::size_t> scores(map.facts.size(), 0);
  for (const Outcome& row : outcomes->rows) {
    for (std::size_t m = 0; m < scores.size(); ++m) scores[m] += !std::isnan(row.scores[m]);
  }
  for (std::size_t m = 0; m < map.facts.size(); ++m) {
    map.why_not.push_back(scores[m] == 0 ? "no row has its score" : WhyNot(o, map.facts[m]));
    p.allowed.push_back(map.why_not.back().empty());
  }
  p.max_deployed = o.max_deployed;
  p.max_active = o.max_active;
  p.max_price = o.max_price;
  p.min_share = o.min_share;
  p.max_seconds = o.max_seconds;
  auto solved = SolveMap(p);
  if (!solved) return std::move(solved).error();
  map.solution = *std::move(solved);
  const std::vector<double> mean = TrafficMean(p);
  map.best_single_quality = -1;
  for (std::size_t m = 0; m < mean.size(); ++m) {
    if (!p.allowed[m] || mean[m] <= map.best_single_quality) continue;
    map.best_single = m;
    map.best_single_quality = mean[m];
  }
  Choices(o, *outcomes, p, map);
  if (auto explored = Explore(o, p, map); !explored) return explored.error();
  map.same = FindSameExperts(*outcomes);
  for (const auto& file : {o.outcomes, o.experts}) {
    if (file.empty()) continue;
    auto sum = config::Sha256OfFile(file);
    if (!sum) return std::move(sum).error();
    map.inputs.emplace_back(file.filename().string(), *std::move(sum));
  }
  return map;
}

}  // namespace pointsman::offline
