// router/offline/build_map_page.cc: the frontiers of a BuiltMap as one HTML page with an SVG plot.
#include <algorithm>

#include "router/offline/build_map.h"
#include "router/offline/format.h"

namespace pointsman::offline {
namespace {

constexpr double kWidth = 720, kHeight = 400, kLeft = 60, kRight = 20, kTop = 20, kBottom = 50;

std::string Escape(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else {
      out += c;
    }
  }
  return out;
}

struct Dot {
  double x, y;
  std::string label;
};

// A step line through the frontier's points and dots for single experts; x in billions, y in percent.
std::string Plot(const std::string& title, const std::vector<Dot>& line, const std::vector<Dot>& dots) {
  double x_max = 0, y_min = 100, y_max = 0;
  for (const auto* list : {&line, &dots}) {
    for (const Dot& dot : *list) {
      x_max = std::max(x_max, dot.x);
      y_min = std::min(y_min, dot.y);
      y_max = std::max(y_max, dot.y);
    }
  }
  const double room = std::max(0.5, (y_max - y_min) * 0.05);
  y_min = std::max(0.0, y_min - room);
  y_max = std::min(100.0, y_max + room);
  x_max = std::max(x_max, 1e-9) * 1.02;
  const auto x = [&](double value) { return kLeft + value / x_max * (kWidth - kLeft - kRight); };
  const auto y = [&](double value) {
    return kHeight - kBottom - (value - y_min) / (y_max - y_min) * (kHeight - kTop - kBottom);
  };
  std::string svg = "<h2>" + title + "</h2>\n" + Format("<svg viewBox=\"0 0 %g %g\" role=\"img\">\n", kWidth, kHeight);
  for (int i = 0; i <= 5; ++i) {
    const double gx = x_max * i / 5, gy = y_min + (y_max - y_min) * i / 5;
    svg += Format(
        "<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>"
        "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%.1f</text>",
        kLeft, y(gy), kWidth - kRight, y(gy), kLeft - 6, y(gy) + 4, gy);
    svg +=
        Format("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%.0f</text>\n", x(gx), kHeight - kBottom + 18, gx);
  }
  svg += Format("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">limit, billions of parameters</text>\n", kWidth / 2,
                kHeight - 8);
  svg += Format("<text transform=\"translate(14 %.1f) rotate(-90)\" text-anchor=\"middle\">quality, %%</text>\n",
                kHeight / 2);
  std::string path;
  for (std::size_t i = 0; i < line.size(); ++i) {
    path +=
        i == 0 ? Format("M%.1f,%.1f", x(line[i].x), y(line[i].y)) : Format(" H%.1f V%.1f", x(line[i].x), y(line[i].y));
  }
  svg += "<path class=\"frontier\" d=\"" + path + "\"/>\n";
  for (const Dot& dot : line) {
    svg += Format("<circle class=\"point\" r=\"4\" cx=\"%.1f\" cy=\"%.1f\"><title>", x(dot.x), y(dot.y)) +
           Escape(dot.label) + "</title></circle>\n";
  }
  for (const Dot& dot : dots) {
    svg += Format("<circle class=\"single\" r=\"4\" cx=\"%.1f\" cy=\"%.1f\"><title>", x(dot.x), y(dot.y)) +
           Escape(dot.label) + "</title></circle>\n";
  }
  return svg + "</svg>\n";
}

std::vector<Dot> Line(const BuiltMap& map, const std::vector<FrontierPoint>& frontier) {
  std::vector<Dot> line;
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
std::vector<Dot> Singles(const BuiltMap& map, std::optional<double> ExpertFacts::*size) {
  std::vector<Dot> dots;
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
  std::string page =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Category-to-expert map</title>\n"
      "<style>body{font:15px/1.5 sans-serif;max-width:760px;margin:2em auto;padding:0 1em;color:#222}"
      "svg{width:100%;height:auto}svg text{font-size:12px;fill:#444}.grid{stroke:#ddd}"
      ".frontier{fill:none;stroke:#1565c0;stroke-width:2}.point{fill:#1565c0}.single{fill:#c62828}"
      "pre{overflow-x:auto;background:#f5f5f5;padding:1em;font-size:12px}</style></head><body>\n"
      "<h1>Category-to-expert map</h1>\n<p>Blue: the best map under each limit. Red: single experts. Quality is the "
      "estimated mean score over the traffic; it was estimated from the rows that chose the map.</p>\n";
  if (!map.active_frontier.empty()) {
    page += Plot("Limit on mean active parameters", Line(map, map.active_frontier),
                 Singles(map, &ExpertFacts::active_billion));
  }
  if (!map.deployed_frontier.empty()) {
    page += Plot("Limit on deployed parameters", Line(map, map.deployed_frontier),
                 Singles(map, &ExpertFacts::total_billion));
  }
  return page + "<pre>" + Escape(MapText(map)) + "</pre>\n</body></html>\n";
}

}  // namespace pointsman::offline
