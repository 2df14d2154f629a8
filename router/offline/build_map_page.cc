// router/offline/build_map_page.cc: the frontiers of a BuiltMap as one HTML page with an SVG plot.
#include <algorithm>

#include "router/offline/build_map.h"
#include "router/offline/format.h"
#include "router/offline/svg_plot.h"

namespace pointsman::offline {
namespace {

// A step line through the frontier's points and dots for single experts; x in billions, y in percent.
std::string Plot(const std::string& title, const std::vector<PlotPoint>& line, const std::vector<PlotPoint>& dots) {
  double x_max = 0, y_min = 100, y_max = 0;
  for (const auto* list : {&line, &dots}) {
    for (const PlotPoint& dot : *list) {
      x_max = std::max(x_max, dot.x);
      y_min = std::min(y_min, dot.y);
      y_max = std::max(y_max, dot.y);
    }
  }
  const double room = std::max(0.5, (y_max - y_min) * 0.05);
  SvgPlot plot({"limit, billions of parameters", 0, std::max(x_max, 1e-9) * 1.02, "%.0f"},
               {"quality, %", std::max(0.0, y_min - room), std::min(100.0, y_max + room), "%.1f"});
  plot.Steps(line, "first");
  plot.Dots(line, "first");
  plot.Dots(dots, "second");
  return "<h2>" + EscapeHtml(title) + "</h2>\n" + plot.Svg();
}

std::vector<PlotPoint> Line(const BuiltMap& map, const std::vector<FrontierPoint>& frontier) {
  std::vector<PlotPoint> line;
  for (const FrontierPoint& point : frontier) {
    std::string label = Format("limit %.1f B: %.2f %%:", point.limit, 100 * point.solution.quality);
    for (std::size_t m = 0; m < point.solution.used.size(); ++m) {
      if (point.solution.used[m]) label += " " + map.facts[m].name;
    }
    line.push_back({point.limit, 100 * point.solution.quality, label});
  }
  return line;
}

// The single experts that are allowed, at their size and traffic mean.
std::vector<PlotPoint> Singles(const BuiltMap& map, std::optional<double> ExpertFacts::*size) {
  std::vector<PlotPoint> dots;
  for (std::size_t m = 0; m < map.facts.size(); ++m) {
    if (!map.why_not[m].empty() || !(map.facts[m].*size)) continue;
    double mean = 0;
    for (std::size_t c = 0; c < map.share.size(); ++c) mean += map.share[c] * map.values.value[c][m];
    dots.push_back({*(map.facts[m].*size), 100 * mean, map.facts[m].name + Format(": %.2f %%", 100 * mean)});
  }
  return dots;
}

}  // namespace

std::string MapPage(const BuiltMap& map) {
  std::string body =
      "<p>Blue: the best map under each limit. Red: single experts. Quality is the "
      "estimated mean score over the traffic; it was estimated from the rows that chose the map.</p>\n";
  if (!map.active_frontier.empty()) {
    body += Plot("Limit on mean active parameters", Line(map, map.active_frontier),
                 Singles(map, &ExpertFacts::active_billion));
  }
  if (!map.deployed_frontier.empty()) {
    body += Plot("Limit on deployed parameters", Line(map, map.deployed_frontier),
                 Singles(map, &ExpertFacts::total_billion));
  }
  return HtmlPage("Category-to-expert map", body + "<pre>" + EscapeHtml(MapText(map)) + "</pre>\n");
}

}  // namespace pointsman::offline
