#include "router/offline/svg_plot.h"

#include <utility>

#include "router/offline/format.h"

namespace pointsman::offline {
namespace {

constexpr double kWidth = 720, kHeight = 400, kLeft = 60, kRight = 20, kTop = 20, kBottom = 50;
constexpr int kMarks = 5;

}  // namespace

std::string EscapeHtml(std::string_view text) {
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

std::string HtmlPage(std::string_view title, std::string_view body) {
  std::string page =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>" + EscapeHtml(title) +
      "</title>\n"
      "<style>body{font:15px/1.5 sans-serif;max-width:760px;margin:2em auto;padding:0 1em;color:#222}"
      "svg{width:100%;height:auto}svg text{font-size:12px;fill:#444}.grid{stroke:#ddd}"
      ".line{fill:none;stroke-width:2}.line.first{stroke:#1565c0}.line.second{stroke:#c62828}"
      ".line.third{stroke:#2e7d32}.line.fourth{stroke:#ef6c00}.dot.third{fill:#2e7d32}.dot.fourth{fill:#ef6c00}"
      ".dot.first{fill:#1565c0}.dot.second{fill:#c62828}.bar{fill:#dbe7f4}"
      ".aid{fill:none;stroke:#888;stroke-dasharray:5 4}"
      "pre{overflow-x:auto;background:#f5f5f5;padding:1em;font-size:12px}"
      ".wide{overflow-x:auto}table{border-collapse:collapse;font-size:13px}"
      "th,td{padding:2px 8px;text-align:right;border-bottom:1px solid #eee;white-space:nowrap}"
      "th:first-child,td:first-child{text-align:left}"
      ".matrix{font-size:11px}.matrix td,.matrix th{padding:2px 3px;text-align:center;border:1px solid #eee}"
      ".matrix td:first-child{text-align:left}.matrix thead th{height:9em;vertical-align:bottom}"
      ".matrix thead th span{writing-mode:vertical-rl;transform:rotate(180deg)}"
      "</style></head><body>\n<h1>";
  page += EscapeHtml(title) + "</h1>\n";
  page += body;
  return page + "</body></html>\n";
}

SvgPlot::SvgPlot(PlotAxis x, PlotAxis y) : x_(std::move(x)), y_(std::move(y)) {
  for (int i = 0; i <= kMarks; ++i) {
    const double gx = x_.low + (x_.high - x_.low) * i / kMarks, gy = y_.low + (y_.high - y_.low) * i / kMarks;
    body_ += Format(
        "<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>"
        "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">",
        kLeft, Y(gy), kWidth - kRight, Y(gy), kLeft - 6, Y(gy) + 4);
    body_ += Format(y_.format, gy) + "</text>";
    body_ += Format("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">", X(gx), kHeight - kBottom + 18);
    body_ += Format(x_.format, gx) + "</text>\n";
  }
  body_ += Format("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">", kWidth / 2, kHeight - 8) +
           EscapeHtml(x_.title) + "</text>\n";
  body_ += Format("<text transform=\"translate(14 %.1f) rotate(-90)\" text-anchor=\"middle\">", kHeight / 2) +
           EscapeHtml(y_.title) + "</text>\n";
}

double SvgPlot::X(double value) const {
  return kLeft + (value - x_.low) / (x_.high - x_.low) * (kWidth - kLeft - kRight);
}

double SvgPlot::Y(double value) const {
  return kHeight - kBottom - (value - y_.low) / (y_.high - y_.low) * (kHeight - kTop - kBottom);
}

void SvgPlot::Line(const std::vector<PlotPoint>& points, std::string_view style) {
  std::string path;
  for (const PlotPoint& point : points)
    path += Format("%s%.1f,%.1f", path.empty() ? "M" : " L", X(point.x), Y(point.y));
  body_ += "<path class=\"line " + std::string(style) + "\" d=\"" + path + "\"/>\n";
}

void SvgPlot::Steps(const std::vector<PlotPoint>& points, std::string_view style) {
  std::string path;
  for (const PlotPoint& point : points) {
    path += Format(path.empty() ? "M%.1f,%.1f" : " H%.1f V%.1f", X(point.x), Y(point.y));
  }
  body_ += "<path class=\"line " + std::string(style) + "\" d=\"" + path + "\"/>\n";
}

void SvgPlot::Dots(const std::vector<PlotPoint>& points, std::string_view style) {
  for (const PlotPoint& point : points) {
    body_ += "<circle class=\"dot " + std::string(style) +
             Format("\" r=\"4\" cx=\"%.1f\" cy=\"%.1f\"><title>", X(point.x), Y(point.y)) + EscapeHtml(point.label) +
             "</title></circle>\n";
  }
}

void SvgPlot::Bar(double from, double to, double height, const std::string& label) {
  body_ += Format("<rect class=\"bar\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>", X(from) + 1,
                  Y(height), X(to) - X(from) - 2, Y(y_.low) - Y(height)) +
           EscapeHtml(label) + "</title></rect>\n";
}

void SvgPlot::Diagonal() {
  body_ += Format("<path class=\"aid\" d=\"M%.1f,%.1f L%.1f,%.1f\"/>\n", X(x_.low), Y(x_.low), X(x_.high), Y(x_.high));
}

void SvgPlot::Mark(double x, const std::string& label) {
  body_ += Format("<path class=\"aid\" d=\"M%.1f,%.1f V%.1f\"/>", X(x), Y(y_.low), Y(y_.high));
  const bool right = x > (x_.low + x_.high) / 2;
  body_ += Format("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", X(x) + (right ? -6.0 : 6.0), Y(y_.low) - 8,
                  right ? "end" : "start") +
           EscapeHtml(label) + "</text>\n";
}

std::string SvgPlot::Svg() const {
  return Format("<svg viewBox=\"0 0 %g %g\" role=\"img\">\n", kWidth, kHeight) + body_ + "</svg>\n";
}

}  // namespace pointsman::offline
