// router/offline/evaluate_map.h: routing by category and outcomes, learnt on one set of rows, measured on another.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "router/offline/bootstrap.h"
#include "router/offline/routing_rows.h"

namespace pointsman::offline {

// How the score of an expert for a request is predicted.
enum class ScoreMethod {
  kBest,    // the one of the others that does best in cross-validation on the training rows, at the budget; but kMap
            // unless it is beaten by more than a standard error
  kMap,     // sum over categories of p(category | text) W[category][expert]: the map's expected value
  kKernel,  // kernel ridge on what the map's kernel and the text's n-grams say (score_predictor.h)
  kMean,    // the mean of these two
};

struct EvaluateMapOptions : RoutingOptions {
  std::optional<double> budget;  // mean active parameters a request, in billions (or mean price; see MapEvaluation)
  ScoreMethod method = ScoreMethod::kBest;
  std::function<void(std::string_view stage, double share)> progress;  // may be empty; in the calling thread
};

// Accuracies are mean scores, in [0, 1].
struct MapEvaluation {
  std::size_t n = 0, train_rows = 0;
  std::size_t left_out_train = 0, left_out_test = 0;  // rows that not all experts answered
  std::vector<std::string> experts;
  double accuracy = 0, best_single = 0, oracle = 0, random = 0, gain = 0;
  Interval accuracy_interval, best_single_interval, oracle_interval, random_interval, gain_interval;
  std::string best_single_expert;                  // best on the training rows
  bool has_active = false, has_price = false;      // whether the experts file gives them, for all experts
  double mean_active = 0, best_single_active = 0;  // billions
  double mean_price = 0, best_single_price = 0;    // US dollars per million tokens
  std::optional<double> budget;
  double cost_weight = 0;                     // lambda of the training rows, with which the test rows begin
  double train_accuracy = 0, train_cost = 0;  // cross-validated, of the same rule
  std::string method;                         // "map", "kernel", "mean"
  bool gold = false;
  std::optional<double> category_accuracy;  // of the classifier on the test rows whose category it knows
  std::vector<double> traffic;              // share of the requests, by expert
};

// For each test request the expert with the largest predicted score minus cost_weight x active parameters (or price,
// when the experts file has no sizes). The predictions for the training rows, from which the method and the
// cost weight are chosen, come from five-fold cross-fitting of everything: the classifier, its calibration and the
// outcome models. Nothing of the test rows but their number is used for a choice.
//
// Budget: the cost weight is the least at which the cross-fitted mean cost of the training rows is at most the budget.
// It alone would not keep the budget on other rows (these differ, and are predicted by models of more rows); so the
// test rows are taken one after the other, in the order of a hash of their ids, under a BudgetPacer (budget.h): after
// each, the mean cost so far is at most the budget, always. A budget below the cheapest expert is an error.
//
// The oracle takes the best expert of each request after the fact, lucky guesses included. Errors: those of the files;
// rows that are in both sets; a range of `h` that is missing where both sets are one file; a question without text.
// Blocking; about 4 n^2 bytes for n training rows.
Result<MapEvaluation> EvaluateMap(const EvaluateMapOptions& options);

std::string EvaluationText(const MapEvaluation& evaluation);
std::string EvaluationJson(const MapEvaluation& evaluation);

}  // namespace pointsman::offline
