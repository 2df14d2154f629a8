// router/offline/evaluate_policies_report.cc: a PolicyEvaluation as text and a page for people, and as JSON for
// scripts.
#include <algorithm>
#include <boost/json.hpp>

#include "router/offline/evaluate_policies.h"
#include "router/offline/format.h"
#include "router/offline/svg_plot.h"

namespace pointsman::offline {
namespace {

namespace json = boost::json;

json::array Pair(const Interval& interval) { return {interval.low, interval.high}; }

template <class T>
json::value OrNull(const std::optional<T>& value) {
  return value ? json::value(*value) : json::value(nullptr);
}

json::object PointJson(const TopPPoint& p, std::size_t categories) {
  return {{"mass", p.mass},
          {"most", p.most >= categories ? json::value(nullptr) : json::value(p.most)},
          {"mean_size", p.size},
          {"hit", p.hit},
          {"hit_ci95", Pair(p.hit_interval)},
          {"fixed_hit_at_equal_size", p.fixed},
          {"gain_over_fixed", p.gain},
          {"gain_over_fixed_ci95", Pair(p.gain_interval)}};
}

json::object TopPJson(const TopPEvaluation& e) {
  const std::size_t categories = e.as_top_2.most;
  const auto points = [categories](const std::vector<TopPPoint>& from) {
    json::array out;
    for (const TopPPoint& p : from) out.push_back(PointJson(p, categories));
    return out;
  };
  json::object fixed;
  for (std::size_t k = 0; k < e.fixed.size(); ++k) fixed["top_" + std::to_string(k + 1)] = e.fixed[k];
  json::array deciles;
  for (const TopPDecile& d : e.deciles) {
    deciles.push_back(
        json::object({{"entropy", d.entropy}, {"top_1_hit", d.top_1}, {"mean_size", d.size}, {"hit", d.hit}}));
  }
  const TopPController& c = e.controller;
  json::object controller = {{"target", c.target},
                             {"window", TopPController::kWindow},
                             {"streams", TopPController::kStreams},
                             {"easy_sizes", json::value_from(c.easy)},
                             {"hard_sizes", json::value_from(c.hard)},
                             {"easy_settled_after", c.settled_easy},
                             {"hard_settled_after", c.settled_hard},
                             {"easy_mass", c.mass_easy},
                             {"hard_mass", c.mass_hard},
                             {"hard_size_without_controller", c.uncontrolled}};
  return {{"fixed", fixed},
          {"uncapped", points(e.free)},
          {"capped", points(e.capped)},
          {"as_top_2", PointJson(e.as_top_2, categories)},
          {"deciles", deciles},
          {"controller", controller}};
}

json::object PolicyJson(const PolicyFigures& f) {
  return {{"family", Name(f.family)},
          {"name", f.name},
          {"accuracy", f.accuracy},
          {"accuracy_ci95", Pair(f.accuracy_interval)},
          {"mean_active_billion", f.active},
          {"mean_experts", f.asked},
          {"best_of_set", f.best_of_set},
          {"train_accuracy", f.train_accuracy},
          {"train_active_billion", f.train_active}};
}

std::string TopPText(const TopPEvaluation& e) {
  std::string text =
      "\nIs the right category's expert in the set? Hit rate on the test rows; fixed: sets of a fixed size "
      "with the same mean\n";
  for (std::size_t k = 0; k < e.fixed.size(); ++k) text += Format("  top-%zu %.2f %%", k + 1, 100 * e.fixed[k]);
  text += "\n      p    cap  experts      hit    fixed    gain\n";
  const auto line = [&](const TopPPoint& p) {
    const std::string cap = p.most >= e.as_top_2.most ? "-" : std::to_string(p.most);
    return Format("   %.2f  %5s  %7.2f  %6.2f %%  %5.2f %%  %+5.2f  [%.2f, %.2f]\n", p.mass, cap.c_str(), p.size,
                  100 * p.hit, 100 * p.fixed, 100 * p.gain, 100 * p.gain_interval.low, 100 * p.gain_interval.high);
  };
  for (const TopPPoint& p : e.free) text += line(p);
  for (const TopPPoint& p : e.capped) text += line(p);
  text += "p that does what top-2 does on the training rows:\n" + line(e.as_top_2);
  text +=
      Format("\nBy entropy, tenths of the test rows, at p = %.2f without a cap\n  entropy   top-1   experts     hit\n",
             e.as_top_2.mass);
  for (const TopPDecile& d : e.deciles) {
    text += Format("   %6.3f  %6.2f %%  %6.2f  %6.2f %%\n", d.entropy, 100 * d.top_1, d.size, 100 * d.hit);
  }
  const TopPController& c = e.controller;
  text += Format("\nController: %.2f experts a request; easy half of the rows, then the hard half\n", c.target);
  text += Format("  easy: within 5 %% after %zu requests, p = %.2f; hard: within 5 %% after %zu requests, p = %.2f\n",
                 c.settled_easy, c.mass_easy, c.settled_hard, c.mass_hard);
  text += Format("  mean size in the first %zu hard requests %.2f, in the last %.2f; with p held at %.2f: %.2f\n",
                 TopPController::kWindow, c.hard.front(), c.hard.back(), c.mass_easy, c.uncontrolled);
  return text;
}

std::string PolicyLine(const PolicyFigures& f) {
  return Format("%6.2f B  %5.2f  %6.2f %%  [%.2f, %.2f]  %6.2f %%  ", f.active, f.asked, 100 * f.accuracy,
                100 * f.accuracy_interval.low, 100 * f.accuracy_interval.high, 100 * f.best_of_set) +
         f.name + "\n";
}

}  // namespace

std::string PoliciesText(const PolicyEvaluation& e) {
  std::string text = Format("%zu training rows (%zu left out), %zu test rows (%zu left out), %zu experts\n",
                            e.train_rows, e.left_out_train, e.n, e.left_out_test, e.experts.size());
  text += e.gold ? "categories: as the rows name them\n"
                 : Format("categories: by a classifier, right for %.1f %% of the test rows\n",
                          100 * e.category_accuracy.value_or(0));
  if (e.top_p) text += TopPText(*e.top_p);
  if (e.policies.empty()) return text;
  text +=
      Format("\noracle %.2f %%, random expert %.2f %% at %.1f B\n", 100 * e.oracle, 100 * e.random, e.random_active);
  text += "\nThe best of each family that keeps a budget on the training rows; test rows\n";
  for (const BudgetFigures& budget : e.budgets) {
    text += Format("budget %.1f B                                               over single         over map\n",
                   budget.budget);
    for (std::size_t family = 0; family < kFamilies; ++family) {
      const auto& best = budget.best[family];
      if (!best) continue;
      const PolicyFigures& f = e.policies[best->policy];
      text += Format("  %-11s %6.2f B  %5.2f  %6.2f %%  [%.2f, %.2f]", Name(f.family), f.active, f.asked,
                     100 * f.accuracy, 100 * f.accuracy_interval.low, 100 * f.accuracy_interval.high);
      text += Format("  %+5.2f [%.2f, %.2f]  %+5.2f [%.2f, %.2f]  ", 100 * best->over_single,
                     100 * best->over_single_interval.low, 100 * best->over_single_interval.high, 100 * best->over_map,
                     100 * best->over_map_interval.low, 100 * best->over_map_interval.high);
      text += f.name + "\n";
    }
  }
  text += "\nAll of them\n    cost  asked  accuracy                 best of set\n";
  std::optional<Family> family;
  for (const PolicyFigures& f : e.policies) {
    if (family != f.family) text += std::string(Name(f.family)) + "\n";
    family = f.family;
    text += PolicyLine(f);
  }
  return text;
}

std::string PoliciesJson(const PolicyEvaluation& e) {
  json::object out = {{"n", e.n},
                      {"train_rows", e.train_rows},
                      {"left_out_train", e.left_out_train},
                      {"left_out_test", e.left_out_test},
                      {"categories", e.gold ? "named" : "classified"},
                      {"category_accuracy", OrNull(e.category_accuracy)}};
  if (e.top_p) out["top_p"] = TopPJson(*e.top_p);
  if (e.policies.empty()) return json::serialize(out);
  out["oracle"] = e.oracle;
  out["oracle_ci95"] = Pair(e.oracle_interval);
  out["random"] = e.random;
  out["random_ci95"] = Pair(e.random_interval);
  out["random_active_billion"] = e.random_active;
  json::array policies, budgets;
  for (const PolicyFigures& f : e.policies) policies.push_back(PolicyJson(f));
  for (const BudgetFigures& budget : e.budgets) {
    json::object best;
    for (std::size_t family = 0; family < kFamilies; ++family) {
      const auto& at = budget.best[family];
      if (!at) {
        best[Name(static_cast<Family>(family))] = nullptr;
        continue;
      }
      json::object figures = PolicyJson(e.policies[at->policy]);
      figures["over_single"] = at->over_single;
      figures["over_single_ci95"] = Pair(at->over_single_interval);
      figures["over_map"] = at->over_map;
      figures["over_map_ci95"] = Pair(at->over_map_interval);
      best[Name(static_cast<Family>(family))] = std::move(figures);
    }
    budgets.push_back(json::object({{"budget", budget.budget}, {"best", std::move(best)}}));
  }
  out["policies"] = std::move(policies);
  out["budgets"] = std::move(budgets);
  return json::serialize(out);
}

std::string PoliciesPage(const PolicyEvaluation& e) {
  std::string body;
  if (!e.budgets.empty()) {
    double most = 0, low = 1, high = 0;
    const auto widen = [&](const PolicyFigures& f) {
      most = std::max(most, f.active);
      low = std::min(low, f.accuracy);
      high = std::max(high, f.accuracy);
    };
    // A family's line: what it reaches at each budget. Single experts are dots.
    std::vector<std::vector<PlotPoint>> lines(kFamilies);
    for (const PolicyFigures& f : e.policies) {
      if (f.family == Family::kSingle) widen(f);
    }
    for (const BudgetFigures& budget : e.budgets) {
      for (std::size_t family = 0; family < kFamilies; ++family) {
        if (!budget.best[family]) continue;
        const PolicyFigures& f = e.policies[budget.best[family]->policy];
        widen(f);
        lines[family].push_back({f.active, 100 * f.accuracy,
                                 std::string(Name(f.family)) + ": " + f.name + Format(", %.2f %%", 100 * f.accuracy)});
      }
    }
    for (auto& line : lines) {
      std::stable_sort(line.begin(), line.end(), [](const PlotPoint& a, const PlotPoint& b) { return a.x < b.x; });
    }
    SvgPlot plot(
        {"mean active parameters, billions", 0, most * 1.02, "%.0f"},
        {"accuracy on the test rows, %", std::max(0.0, 100 * low - 1), std::min(100.0, 100 * high + 1), "%.1f"});
    const auto draw = [&](Family family, std::string_view style) {
      const auto& line = lines[static_cast<std::size_t>(family)];
      if (line.empty()) return;
      plot.Line(line, style);
      plot.Dots(line, style);
    };
    draw(Family::kMap, "first");
    draw(Family::kTopP, "second");
    draw(Family::kCascade, "third");
    draw(Family::kMapCascade, "fourth");
    for (const PolicyFigures& f : e.policies) {
      if (f.family == Family::kSingle) {
        plot.Dots({{f.active, 100 * f.accuracy, f.name + Format(", %.2f %%", 100 * f.accuracy)}}, "plain");
      }
    }
    body +=
        "<p>The best of each family that keeps a budget on the training rows, measured on the test rows. Blue: "
        "category map. Red: vote of its top-p set. Green: cascade from cheap experts that agree to one expert. "
        "Orange: cascade to the map's choice. Black: single experts.</p>\n" +
        plot.Svg();
  }
  return HtmlPage("Policies side by side", body + "<pre>" + EscapeHtml(PoliciesText(e)) + "</pre>\n");
}

}  // namespace pointsman::offline
