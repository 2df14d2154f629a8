#include <boost/json.hpp>
#include <utility>

#include "router/offline/evaluate_cascade.h"
#include "router/offline/format.h"
#include "router/offline/svg_plot.h"

namespace pointsman::offline {
namespace {

namespace json = boost::json;

json::array Interval(const Spread& spread) { return {spread.low, spread.high}; }

json::object MethodJson(const CascadeMethod& m) {
  json::array curve, targets;
  for (std::size_t i = 0; i < m.quality.size(); ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(m.quality.size() - 1);
    curve.push_back({{"strong_share", share}, {"quality", m.quality[i]}});
  }
  for (const RealisedTarget& t : m.targets) {
    targets.push_back({{"target", t.target},
                       {"threshold", t.threshold},
                       {"strong_share", t.strong_share},
                       {"quality", t.quality},
                       {"expected_strong_share", t.expected_strong_share},
                       {"expected_quality", t.expected_quality}});
  }
  const StochasticFigures& s = m.stochastic;
  json::object method = {{"name", m.name},
                         {"auroc", m.auroc},
                         {"auroc_95", Interval(m.auroc_spread)},
                         {"apgr", m.figures.apgr},
                         {"apgr_sd", m.spreads.apgr.deviation},
                         {"apgr_95", Interval(m.spreads.apgr)},
                         {"apgr_minus_first_95", Interval(m.against_first)},
                         {"cpt50", m.figures.cpt50},
                         {"cpt50_95", Interval(m.spreads.cpt50)},
                         {"cpt80", m.figures.cpt80},
                         {"cpt80_95", Interval(m.spreads.cpt80)},
                         {"curve", curve},
                         {"stochastic",
                          {{"mean_confidence", s.mean_confidence},
                           {"expected_cost", s.expected_cost},
                           {"simulated_cost", s.simulated_cost},
                           {"simulated_cost_sd", s.deviation},
                           {"expected_quality", s.expected_quality},
                           {"simulated_quality", s.simulated_quality}}}};
  if (m.ece) method["ece"] = *m.ece;
  if (m.mixture) {
    method["mixture"] = {{"low", m.mixture->low},
                         {"high", m.mixture->high},
                         {"strong_distribution", m.mixture->distribution},
                         {"rows", m.mixture->rows}};
  }
  if (!targets.empty()) method["targets"] = std::move(targets);
  return method;
}

std::string Ece(const CascadeMethod& m) { return m.ece ? Format("%.4f", *m.ece) : "-"; }

std::string Summary(const EvaluateCascadeReport& r) {
  return Format(
      "trained on %zu rows, tested on %zu (source: %s)\nweak    %.4f  %s\nstrong  %.4f  %s\noracle  %.4f  the better "
      "one of each row; APGR %.4f\n",
      r.train_rows, r.rows, r.source.c_str(), r.weak_quality, r.weak.c_str(), r.strong_quality, r.strong.c_str(),
      r.oracle_quality, r.oracle_apgr);
}

}  // namespace

std::string CascadeReportJson(const EvaluateCascadeReport& r) {
  json::array methods;
  for (const CascadeMethod& m : r.methods) methods.push_back(MethodJson(m));
  const json::object report = {{"train_n", r.train_rows},
                               {"n", r.rows},
                               {"without_signals", r.without},
                               {"source", r.source},
                               {"weak", r.weak_quality},
                               {"strong", r.strong_quality},
                               {"oracle", r.oracle_quality},
                               {"oracle_apgr", r.oracle_apgr},
                               {"weak_name", r.weak},
                               {"strong_name", r.strong},
                               {"categories", r.categories},
                               {"cost_ratio", r.cost_ratio},
                               {"resamples", r.methods.empty() ? 0 : r.methods[0].spreads.resamples},
                               {"methods", methods}};
  return json::serialize(report);
}

std::string CascadeReportText(const EvaluateCascadeReport& r) {
  std::string text = Summary(r);
  if (r.without > 0) {
    text += Format("left out without a distribution: %llu rows\n", static_cast<unsigned long long>(r.without));
  }
  text += Format("\n%-22s %-22s %7s  %-22s %-18s %6s %6s\n", "", "AUROC (95 %)", "ECE", "APGR (95 %)",
                 "minus the first", "CPT50", "CPT80");
  for (const CascadeMethod& m : r.methods) {
    text += Format("%-22s %.4f (%.3f to %.3f) %7s  %.4f (%.3f to %.3f) %+.3f to %+.3f   %5.1f%% %5.1f%%\n",
                   m.name.c_str(), m.auroc, m.auroc_spread.low, m.auroc_spread.high, Ece(m).c_str(), m.figures.apgr,
                   m.spreads.apgr.low, m.spreads.apgr.high, m.against_first.low, m.against_first.high,
                   100 * m.figures.cpt50, 100 * m.figures.cpt80);
  }
  text += "\nquality by share of strong answers\n";
  text += Format("%-22s", "");
  for (int share = 0; share <= 100; share += 10) text += Format(" %5d%%", share);
  for (const CascadeMethod& m : r.methods) {
    text += Format("\n%-22s", m.name.c_str());
    for (std::size_t i = 0; i < m.quality.size(); i += 2) text += Format(" %.4f", m.quality[i]);
  }
  text += Format("\n\nstochastic form (%zu draws; cost in strong answers, weak %.2f)\n%-22s %7s %9s %9s %8s %9s %9s\n",
                 kDraws, r.cost_ratio, "", "E[C]", "cost", "simulated", "sd", "quality", "simulated");
  for (const CascadeMethod& m : r.methods) {
    const StochasticFigures& s = m.stochastic;
    text += Format("%-22s %7.4f %9.4f %9.4f %8.4f %9.4f %9.4f\n", m.name.c_str(), s.mean_confidence, s.expected_cost,
                   s.simulated_cost, s.deviation, s.expected_quality, s.simulated_quality);
  }
  bool head = true;
  for (const CascadeMethod& m : r.methods) {
    if (!m.mixture) continue;
    if (std::exchange(head, false)) {
      text +=
          Format("\nmixture (Mowst*), accuracy%s\n",
                 m.mixture->distribution ? "" : "; the strong expert taken as certain, bounds over its wrong option");
    }
    text += Format("%-22s %.4f to %.4f\n", m.name.c_str(), m.mixture->low, m.mixture->high);
  }
  text += Format("\n%-22s %-18s %9s %17s %17s\n", "thresholds by target", "", "threshold", "strong: promised",
                 "quality: promised");
  for (const CascadeMethod& m : r.methods) {
    for (const RealisedTarget& t : m.targets) {
      text += Format("%-22s %-18s %9.4f %7.1f%%: %6.1f%% %8.4f: %.4f\n", m.name.c_str(), t.target.c_str(), t.threshold,
                     100 * t.strong_share, 100 * t.expected_strong_share, t.quality, t.expected_quality);
    }
  }
  return text;
}

std::string CascadePage(const EvaluateCascadeReport& r) {
  std::string body = "<pre>" + EscapeHtml(Summary(r)) + "</pre>\n";
  const CascadeMethod& first = r.methods.front();
  const auto points = [](const CascadeMethod& m) {
    std::vector<PlotPoint> points;
    for (std::size_t i = 0; i < m.quality.size(); ++i) {
      const double share = 100 * static_cast<double>(i) / static_cast<double>(m.quality.size() - 1);
      points.push_back({share, 100 * m.quality[i],
                        Format("%s: %.0f %% strong, quality %.2f %%", m.name.c_str(), share, 100 * m.quality[i])});
    }
    return points;
  };
  for (std::size_t m = 1; m < r.methods.size(); ++m) {
    SvgPlot plot({"share of strong answers, %", 0, 100, "%.0f"},
                 {"quality, %", 100 * r.weak_quality, 100 * r.strong_quality, "%.1f"});
    plot.Diagonal();
    plot.Line(points(first), "second");
    plot.Line(points(r.methods[m]), "first");
    plot.Dots(points(r.methods[m]), "first");
    body += "<h2>" + EscapeHtml(r.methods[m].name) + "</h2>\n" + plot.Svg() +
            Format("<p>Blue: this one, APGR %.4f (%.3f to %.3f). Red: %s, APGR %.4f. Dashed: at random.</p>\n",
                   r.methods[m].figures.apgr, r.methods[m].spreads.apgr.low, r.methods[m].spreads.apgr.high,
                   EscapeHtml(first.name).c_str(), first.figures.apgr);
  }
  body += "<h2>Figures</h2>\n<pre>" + EscapeHtml(CascadeReportText(r)) + "</pre>\n";
  return HtmlPage("Cascade: " + r.weak + " to " + r.strong, body);
}

}  // namespace pointsman::offline
