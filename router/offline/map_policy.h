// router/offline/map_policy.h: a solved category map as the policy that a configuration would read from its file.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "router/offline/map_solver.h"

namespace pointsman::offline {

// Experts [M] with these names, in this order.
config::Config ConfigOf(const std::vector<std::string>& experts);

// The map of `solution`: for each of `categories` ([C], as in `problem`) the worth of the experts in use is their value
// less what the limits charge for them; `general` has the traffic's mean (docs/map.md, "At run time").
config::CategoryMap MapOf(const std::vector<std::string>& categories, const MapProblem& problem,
                          const MapSolution& solution);

}  // namespace pointsman::offline
