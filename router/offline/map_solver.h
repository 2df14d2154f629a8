// router/offline/map_solver.h: one expert for each category, the best that limits allow (composition of experts,
// arXiv 2412.01868; the formulation is ours: facility location with a knapsack, docs/map.md).
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "base/result.h"

namespace pointsman::offline {

// C categories, M experts.
struct MapProblem {
  std::vector<std::vector<double>> value;  // [C][M], mean scores in [0, 1]
  std::vector<double> share;               // [C], of the traffic, sum 1
  std::vector<double> size;                // [M], parameters to deploy, billions; may be empty without max_deployed
  std::vector<double> active;              // [M], parameters a token uses, billions; likewise max_active
  std::vector<double> price;               // [M], US dollars per million tokens; likewise max_price
  std::vector<bool> allowed;               // [M]: an expert that is not is never used (latency, licence, region)
  std::optional<double> max_deployed;      // billions, sum over the experts that are used
  std::optional<double> max_active;        // billions, mean over the traffic
  std::optional<double> max_price;         // mean over the traffic
  double min_share = 0;                    // of the traffic, that an expert which is used must serve, [0, 1]
  double max_seconds = 60;                 // of solving
};

struct MapSolution {
  std::vector<std::size_t> expert;             // [C]
  std::vector<bool> used;                      // [M]
  double quality = 0;                          // sum_c share_c value_c,expert(c)
  double bound = 0;                            // nothing better than this exists
  double gap = 0;                              // bound - quality, >= 0; 0 = proven optimal
  double deployed = 0, active = 0, price = 0;  // of this solution; 0 where not known
  // [M]: what the limits on averages take off an expert's value for each request that it gets, in units of value; less
  // than 0 where min_share wants requests for it. The multipliers of the linear programme with the same experts in use.
  std::vector<double> charge;
};

// Maximises quality with CBC (COIN-OR branch and cut) over
//   sum_m z_cm = 1,  z_cm <= y_m,  sum_m size_m y_m <= max_deployed,  sum_cm share_c active_m z_cm <= max_active,
//   sum_cm share_c price_m z_cm <= max_price,  sum_c share_c z_cm >= min_share y_m,  y, z in {0, 1}
// z may stay continuous where only max_deployed limits: it is integral at an optimum for fixed y. The returned solution
// is checked against the limits. Errors: no expert is allowed, no solution keeps the limits (each limit that cannot be
// kept alone is named), or none was found in max_seconds. One thread at a time.
Result<MapSolution> SolveMap(const MapProblem& problem);

}  // namespace pointsman::offline
