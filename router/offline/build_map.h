// router/offline/build_map.h: outcome rows -> the best category-to-expert map within limits, and what limits cost.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "router/offline/experts_file.h"
#include "router/offline/map_solver.h"
#include "router/offline/outcomes.h"
#include "router/offline/same_experts.h"
#include "router/offline/values.h"

namespace pointsman::offline {

struct MapOptions {
  std::filesystem::path outcomes;
  std::filesystem::path experts;  // experts_file.h; "" = all in the rows: then no limits but min_share
  std::optional<HashRange> range;
  std::optional<double> max_deployed;   // billions, sum of total_billion over the experts that are used
  std::optional<double> max_active;     // billions, mean over the traffic
  std::optional<double> max_price;      // US dollars per million tokens, mean over the traffic
  std::optional<double> max_p95_ms;     // of each expert
  std::vector<std::string> licences;    // allowed; empty = all
  std::vector<std::string> regions;     // all regions of an expert must be among these; empty = all
  double min_share = 0;                 // of the traffic, for every expert that is used, [0, 1]
  std::map<std::string, double> share;  // category -> weight of the traffic; empty = as the rows are
  std::size_t fallbacks = 3;            // experts after the first, at most
  std::size_t points = 12;              // of each frontier, >= 2
  double delta = 5;                     // billions (or a tenth of the price limit): step of the shadow prices
  double max_seconds = 60;              // of each solution
  std::function<void(std::string_view stage, double share)> progress;  // may be empty
};

struct CategoryChoice {
  std::string name;
  double share = 0;                  // of the traffic
  std::size_t rows = 0;              // requests behind it
  std::vector<std::size_t> experts;  // the chosen one, then the fallbacks: other used experts, best first
};

struct FrontierPoint {
  double limit = 0;
  MapSolution solution;
};

// What is gained by solving again with a limit raised by `step`.
struct ShadowPrice {
  std::string limit;  // "max_deployed", "max_active", "max_price"
  double step = 0, gain = 0;
};

struct BuiltMap {
  std::vector<ExpertFacts> facts;    // of all experts, allowed or not
  std::vector<std::string> why_not;  // by expert; "" = allowed
  std::vector<std::string> categories;
  Values values;
  std::vector<double> share;  // by category, as solved for
  MapSolution solution;
  std::vector<CategoryChoice> choices;  // by category, then `general` unless the rows have that category
  std::size_t best_single = 0;          // allowed expert of the largest mean value
  double best_single_quality = 0;
  std::vector<FrontierPoint> deployed_frontier, active_frontier;  // empty where sizes are not known
  std::vector<ShadowPrice> shadow_prices;
  std::vector<SameExperts> same;
  std::size_t rows = 0;
  std::vector<std::pair<std::string, std::string>> inputs;  // file, SHA-256
};

// `quality` is the estimated mean score over the traffic, in [0, 1], by the shrunken values: an estimate from the rows
// that chose the map, hence somewhat optimistic; `pointsman evaluate map` measures on other rows. `general`, for
// uncertain requests, is ranked by the traffic's mean over the used experts. Frontiers solve again at limits from the
// least to the largest that matters, the other limits kept. Errors: those of the files, a limit whose figure some
// expert lacks, unknown or missing categories in `share`, limits that nothing keeps. Blocking.
Result<BuiltMap> BuildMap(const MapOptions& options);

std::string MapText(const BuiltMap& map);
std::string MapJson(const BuiltMap& map);
// The file that a configuration names as `map` (config/map_file.h).
std::string MapFileText(const BuiltMap& map);
// One page of HTML with the frontiers as SVG; needs nothing else.
std::string MapPage(const BuiltMap& map);

}  // namespace pointsman::offline
