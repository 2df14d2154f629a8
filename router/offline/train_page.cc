// router/offline/train_page.cc: a TrainReport as one HTML page with SVG plots.
#include <algorithm>
#include <cmath>

#include "router/offline/format.h"
#include "router/offline/svg_plot.h"
#include "router/offline/train_classifier.h"

namespace pointsman::offline {
namespace {

constexpr std::size_t kLargestTable = 40;  // categories; of more the most confused pairs are shown
constexpr std::size_t kPairs = 40;

std::string Cell(const std::string& text) { return "<td>" + text + "</td>"; }

std::string Summary(const TrainReport& r) {
  std::string html = "<table>\n";
  const auto add = [&html](const std::string& name, const std::string& value) {
    html += "<tr><th>" + name + "</th>" + Cell(value) + "</tr>\n";
  };
  const Metrics& m = r.metrics;
  const double error = std::sqrt(m.accuracy * (1 - m.accuracy) / static_cast<double>(std::max<std::size_t>(m.rows, 1)));
  add("rows, categories", Format("%zu, %zu", r.rows, r.categories.size()));
  add("accuracy", Format("%.2f %% (standard error %.2f)", 100 * m.accuracy, 100 * error));
  add("macro F1", Format("%.2f %%", 100 * m.macro_f1));
  add("mean -ln p(truth)", Format("%.3f nats", m.nll));
  add("calibration error, 15 bins", Format("%.4f", m.ece));
  add("n-grams alone", Format("%.2f %%, calibration error %.4f", 100 * r.linear.accuracy, r.linear.ece));
  add("certain (entropy up to the threshold)",
      Format("%.1f %% of the rows, %.2f %% of those are right", 100 * r.coverage, 100 * r.accuracy_certain));
  add("entropy threshold", Format("%.3f nats", r.entropy_threshold));
  add("artifact", EscapeHtml(r.out.string()) + ", sha256 " + EscapeHtml(r.checksum.substr(0, 16)) + "...");
  return html + "</table>\n";
}

std::string CategoryTable(const Metrics& metrics) {
  std::string html =
      "<h2>Categories</h2>\n<div class=\"wide\"><table><tr><th>category</th><th>rows</th><th>precision</th>"
      "<th>recall</th><th>F1</th><th>mean probability</th></tr>\n";
  for (const CategoryMetrics& c : metrics.categories) {
    html += "<tr>" + Cell(EscapeHtml(c.name)) +
            Format("<td>%zu</td><td>%.1f %%</td><td>%.1f %%</td><td>%.1f %%</td><td>%.3f</td></tr>\n", c.rows,
                   100 * c.precision, 100 * c.recall, 100 * c.f1, c.mean_probability);
  }
  return html + "</table></div>\n<p>Mean probability: of the true category, over its rows.</p>\n";
}

// A cell the darker, the larger its share of its row: blue on the diagonal, red elsewhere.
std::string Shade(std::size_t rows, std::size_t all, bool right) {
  if (rows == 0) return "<td></td>";
  const double share = static_cast<double>(rows) / static_cast<double>(all);
  return Format("<td style=\"background:rgba(%s,%.2f)\">%zu</td>", right ? "21,101,192" : "198,40,40",
                right ? 0.55 * share : std::min(0.8, 0.05 + 2 * share), rows);
}

std::string ConfusionTable(const Metrics& metrics) {
  const std::size_t size = metrics.categories.size();
  std::string html = "<div class=\"wide\"><table class=\"matrix\"><thead><tr><th></th>";
  for (const CategoryMetrics& c : metrics.categories) html += "<th><span>" + EscapeHtml(c.name) + "</span></th>";
  html += "</tr></thead><tbody>\n";
  for (std::size_t c = 0; c < size; ++c) {
    html += "<tr>" + Cell(EscapeHtml(metrics.categories[c].name));
    for (std::size_t d = 0; d < size; ++d) {
      html += Shade(metrics.table[c * size + d], metrics.categories[c].rows, c == d);
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n<p>A line for each true category, a column for each predicted one.</p>\n";
}

std::string ConfusedPairs(const Metrics& metrics) {
  std::string html = "<table><tr><th>truth</th><th>predicted</th><th>rows</th></tr>\n";
  for (const Confusion& c : MostConfused(metrics, kPairs)) {
    html +=
        "<tr>" + Cell(EscapeHtml(c.truth)) + Cell(EscapeHtml(c.predicted)) + Cell(std::to_string(c.rows)) + "</tr>\n";
  }
  return html + Format("</table>\n<p>The %zu most frequent errors.</p>\n", kPairs);
}

// A reliability diagram (Guo et al. 2017, figure 1): right answers by probability, and how many rows each bin has.
std::string Reliability(const Metrics& metrics) {
  SvgPlot plot({"largest probability, %", 0, 100, "%.0f"}, {"right answers, %", 0, 100, "%.0f"});
  std::size_t most = 1;
  for (const CalibrationBin& bin : metrics.calibration) most = std::max(most, bin.rows);
  std::vector<PlotPoint> points;
  for (const CalibrationBin& bin : metrics.calibration) {
    if (bin.rows == 0) continue;
    const std::string label = Format("%zu rows, probability %.1f %% in the mean, %.1f %% right", bin.rows,
                                     100 * bin.probability, 100 * bin.accuracy);
    plot.Bar(100 * bin.low, 100 * bin.high, 100.0 * static_cast<double>(bin.rows) / static_cast<double>(most), label);
    points.push_back({100 * bin.probability, 100 * bin.accuracy, label});
  }
  plot.Diagonal();
  plot.Line(points, "first");
  plot.Dots(points, "first");
  std::string html = "<h2>Calibration</h2>\n" + plot.Svg() +
                     Format(
                         "<p>On the dashed line probabilities are what they say. Pale bars: rows in each bin, the "
                         "highest %zu. Expected calibration error %.4f.</p>\n",
                         most, metrics.ece) +
                     "<div class=\"wide\"><table><tr><th>bin, %</th><th>rows</th><th>mean probability</th>"
                     "<th>right</th></tr>\n";
  for (const CalibrationBin& bin : metrics.calibration) {
    if (bin.rows == 0) continue;
    html += Format("<tr><td>%.0f to %.0f</td><td>%zu</td><td>%.1f %%</td><td>%.1f %%</td></tr>\n", 100 * bin.low,
                   100 * bin.high, bin.rows, 100 * bin.probability, 100 * bin.accuracy);
  }
  return html + "</table></div>\n";
}

std::string Coverage(const TrainReport& r) {
  double low = 1;
  for (const CoveragePoint& p : r.metrics.fine_curve) low = std::min(low, p.accuracy);
  SvgPlot plot({"coverage: share of the rows that are certain, %", 0, 100, "%.0f"},
               {"right answers among them, %", 5 * std::floor(std::min(100 * low, 99.0) / 5), 100, "%.0f"});
  std::vector<PlotPoint> points;
  for (const CoveragePoint& p : r.metrics.fine_curve) points.push_back({100 * p.coverage, 100 * p.accuracy, ""});
  plot.Line(points, "first");
  plot.Mark(100 * r.coverage, Format("threshold %.3f nats", r.entropy_threshold));
  plot.Dots({{100 * r.coverage, 100 * r.accuracy_certain,
              Format("coverage %.1f %%, %.2f %% right", 100 * r.coverage, 100 * r.accuracy_certain)}},
            "second");
  return "<h2>Coverage and accuracy</h2>\n" + plot.Svg() +
         "<p>The rows of least entropy first. Red: the threshold that was chosen (--coverage).</p>\n";
}

}  // namespace

std::string TrainPage(const TrainReport& report) {
  std::string body = Format(
      "<p>Figures out of fold: each row was predicted by a model that was fitted without its fold (%u folds).</p>\n",
      report.folds);
  body += Summary(report) + CategoryTable(report.metrics) + "<h2>Confusion</h2>\n";
  body += report.categories.size() <= kLargestTable ? ConfusionTable(report.metrics) : ConfusedPairs(report.metrics);
  return HtmlPage("Classifier", body + Reliability(report.metrics) + Coverage(report));
}

}  // namespace pointsman::offline
