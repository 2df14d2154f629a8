// router/offline/evaluate_map_report.cc: a MapEvaluation as text for people and as JSON for scripts.
#include <boost/json.hpp>

#include "router/offline/evaluate_map.h"
#include "router/offline/format.h"

namespace pointsman::offline {
namespace {

namespace json = boost::json;

json::array Pair(const Interval& interval) { return {interval.low, interval.high}; }

std::string Line(const char* name, double mean, const Interval& interval) {
  return Format("  %-24s %6.2f %%  [%.2f, %.2f]\n", name, 100 * mean, 100 * interval.low, 100 * interval.high);
}

}  // namespace

std::string EvaluationText(const MapEvaluation& e) {
  std::string text = Format("%zu training rows (%zu left out), %zu test rows (%zu left out), %zu experts\n",
                            e.train_rows, e.left_out_train, e.n, e.left_out_test, e.experts.size());
  text += e.gold ? "categories: as the rows name them\n"
                 : Format("categories: by a classifier, right for %.1f %% of the test rows\n",
                          100 * e.category_accuracy.value_or(0));
  text += "scores predicted by: " + e.method + "\n\nMean score on the test rows, 95 % bootstrap interval\n";
  text += Line("routed", e.accuracy, e.accuracy_interval);
  text += Line("best single expert", e.best_single, e.best_single_interval);
  text += Line("routed minus best single", e.gain, e.gain_interval);
  text += Line("random expert", e.random, e.random_interval);
  text += Line("oracle", e.oracle, e.oracle_interval);
  text += "The best single expert is " + e.best_single_expert + ", chosen on the training rows.\n";
  if (e.has_active) {
    text += Format("Mean active parameters: %.2f B (best single: %.1f B)\n", e.mean_active, e.best_single_active);
  }
  if (e.has_price) {
    text += Format("Mean price: %.4f USD a million tokens (best single: %.4f)\n", e.mean_price, e.best_single_price);
  }
  if (e.budget) {
    text += Format("Budget %.4g, kept after every request; cost weight at first %.6g\n", *e.budget, e.cost_weight);
  }
  text += "\n  share  expert\n";
  for (std::size_t m = 0; m < e.experts.size(); ++m) {
    text += Format("%5.1f %%  %s\n", 100 * e.traffic[m], e.experts[m].c_str());
  }
  return text;
}

std::string EvaluationJson(const MapEvaluation& e) {
  json::object traffic;
  for (std::size_t m = 0; m < e.experts.size(); ++m) traffic[e.experts[m]] = e.traffic[m];
  json::object out = {{"n", e.n},
                      {"accuracy", e.accuracy},
                      {"accuracy_ci95", Pair(e.accuracy_interval)},
                      {"mean_active_billion", e.has_active ? json::value(e.mean_active) : json::value(nullptr)},
                      {"mean_price", e.has_price ? json::value(e.mean_price) : json::value(nullptr)},
                      {"best_single", e.best_single},
                      {"best_single_ci95", Pair(e.best_single_interval)},
                      {"best_single_expert", e.best_single_expert},
                      {"best_single_active_billion", e.has_active ? json::value(e.best_single_active) : nullptr},
                      {"oracle", e.oracle},
                      {"oracle_ci95", Pair(e.oracle_interval)},
                      {"random", e.random},
                      {"random_ci95", Pair(e.random_interval)},
                      {"gain_over_best_single", e.gain},
                      {"gain_over_best_single_ci95", Pair(e.gain_interval)},
                      {"budget", e.budget ? json::value(*e.budget) : json::value(nullptr)},
                      {"cost_weight", e.cost_weight},
                      {"method", e.method},
                      {"categories", e.gold ? "named" : "classified"},
                      {"category_accuracy", e.category_accuracy ? json::value(*e.category_accuracy) : nullptr},
                      {"train_rows", e.train_rows},
                      {"train_accuracy_cross_validated", e.train_accuracy},
                      {"train_cost_cross_validated", e.train_cost},
                      {"left_out_train", e.left_out_train},
                      {"left_out_test", e.left_out_test},
                      {"traffic", traffic}};
  return json::serialize(out);
}

}  // namespace pointsman::offline
