// router/offline/svg_plot.h: plots and pages that need nothing but themselves: HTML with inline SVG, no scripts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pointsman::offline {

// `text` as it may stand in HTML and SVG, attributes included.
std::string EscapeHtml(std::string_view text);

// A whole document. `title` is escaped; `body` is HTML. The styles of the plots' classes are in it.
std::string HtmlPage(std::string_view title, std::string_view body);

struct PlotPoint {
  double x = 0, y = 0;
  std::string label;  // shown when the pointer rests on the point
};

struct PlotAxis {
  std::string title;
  double low = 0, high = 1;     // low < high
  const char* format = "%.1f";  // of the numbers at its marks
};

// One plot, 720 by 400. Points outside of the axes are drawn outside of them. One thread.
class SvgPlot {
 public:
  SvgPlot(PlotAxis x, PlotAxis y);

  // `style` is a class of HtmlPage: "first" (blue), "second" (red), "third" (green) or "fourth" (orange).
  void Line(const std::vector<PlotPoint>& points, std::string_view style);   // straight from point to point
  void Steps(const std::vector<PlotPoint>& points, std::string_view style);  // each value holds until the next point
  void Dots(const std::vector<PlotPoint>& points, std::string_view style);
  void Bar(double from, double to, double height, const std::string& label);  // from the x axis up, pale
  void Diagonal();                                                            // y = x, dashed
  void Mark(double x, const std::string& label);                              // a dashed line at x, with its label

  std::string Svg() const;

 private:
  double X(double value) const;
  double Y(double value) const;

  PlotAxis x_, y_;
  std::string body_;
};

}  // namespace pointsman::offline
