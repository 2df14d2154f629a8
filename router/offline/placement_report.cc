// router/offline/placement_report.cc: a placement as text and as JSON.
#include <boost/json.hpp>

#include "router/offline/format.h"
#include "router/offline/placement.h"

namespace pointsman::offline {

namespace json = boost::json;

std::string PlacementText(const PlacementProblem& p, const Placement& placement) {
  std::string text = "  host                     memory GB          busy  experts (share of their requests)\n";
  for (std::size_t h = 0; h < p.hosts.size(); ++h) {
    std::string experts;
    for (std::size_t e = 0; e < p.experts.size(); ++e) {
      if (!placement.copy[e][h]) continue;
      experts += (experts.empty() ? "" : ", ") + p.experts[e].name;
      if (placement.share[e][h] < 0.995) experts += Format(" (%.0f %%)", 100 * placement.share[e][h]);
    }
    text += Format("  %-20s %7.1f of %6.1f  %10.1f %%  ", p.hosts[h].name.c_str(), placement.memory_gb[h],
                   p.hosts[h].memory_gb, 100 * placement.utilisation[h]) +
            (experts.empty() ? "-" : experts) + "\n";
  }
  text += Format("\nthe busiest host is busy %.1f %% of the time%s\n", 100 * placement.largest,
                 placement.largest > 1 ? ": it cannot keep up; add hosts, or more --copies" : "");
  if (!p.handoffs.empty()) text += Format("%.4g hand-offs a second go to another host\n", placement.remote_handoffs);
  text += placement.gap == 0
              ? "proven optimal (gap 0)\n"
              : Format("gap %.3g: not proven optimal; --seconds gives the solver more time\n", placement.gap);
  return text;
}

std::string PlacementJson(const PlacementProblem& p, const Placement& placement) {
  json::array hosts;
  for (std::size_t h = 0; h < p.hosts.size(); ++h) {
    json::object experts;
    for (std::size_t e = 0; e < p.experts.size(); ++e) {
      if (placement.copy[e][h]) experts[p.experts[e].name] = placement.share[e][h];
    }
    hosts.push_back({{"name", p.hosts[h].name},
                     {"memory_gb", placement.memory_gb[h]},
                     {"utilisation", placement.utilisation[h]},
                     {"experts", experts}});
  }
  return json::serialize(json::object{{"hosts", hosts},
                                      {"largest_utilisation", placement.largest},
                                      {"remote_handoffs", placement.remote_handoffs},
                                      {"gap", placement.gap}});
}

}  // namespace pointsman::offline
