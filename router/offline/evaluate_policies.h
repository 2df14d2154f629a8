// router/offline/evaluate_policies.h: whole policies side by side, on rows that say what every expert answered.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "router/offline/bootstrap.h"
#include "router/offline/evaluate_top_p.h"
#include "router/offline/routing_rows.h"

namespace pointsman::offline {

struct EvaluatePoliciesOptions : RoutingOptions {
  // Mean active parameters a request, billions, that policies are compared at; empty: six, from the cheapest expert to
  // the best single one by equal factors.
  std::vector<double> budgets;
  // Scores of the null experts of kNull, on the scale of the maps' values; empty: that family is left out.
  std::vector<double> null_scores;
  TopPOptions top_p;        // p of the sets, their cap, and the controller's target
  bool top_p_only = false;  // only the sets over categories: no answers, no sizes
  std::function<void(std::string_view stage, double share)> progress;  // may be empty; in the calling thread
};

enum class Family {
  kSingle,      // one expert for all
  kMap,         // the category map's expected value, under the limit that it was solved with (map_solver.h)
  kTopK,        // a vote of that map's two or three best
  kTopP,        // a vote of that map's top-p set
  kCascade,     // cheap experts answer; where too few agree, one expert does
  kMapCascade,  // likewise, but the map says who
  kNull,        // a vote of those of the map's three best who are worth more than the null experts beside them
};
inline constexpr std::size_t kFamilies = 7;
// "single", "map", "top_k", "top_p", "cascade", "map_cascade", "null".
const char* Name(Family family);

// One policy on the test rows. Accuracies are mean scores, in [0, 1].
struct PolicyFigures {
  Family family = Family::kSingle;
  std::string name;                             // for people: what it is made of
  double train_accuracy = 0, train_active = 0;  // of the training rows, by cross-fitted distributions
  double accuracy = 0, active = 0, asked = 0;   // mean active parameters in billions, mean experts
  double best_of_set = 0;                       // mean best score among those that were asked
  Interval accuracy_interval;
};

// The best of a family that keeps a budget on the training rows.
struct AtBudget {
  std::size_t policy = 0;  // index into PolicyEvaluation::policies
  double over_single = 0;  // accuracy less that of the best single expert which keeps the budget, paired
  double over_map = 0;     // likewise of the best map
  Interval over_single_interval, over_map_interval;
};

struct BudgetFigures {
  double budget = 0;
  std::vector<std::optional<AtBudget>> best;  // by Family; unset where none keeps the budget
};

struct PolicyEvaluation {
  std::size_t n = 0, train_rows = 0;
  std::size_t left_out_train = 0, left_out_test = 0;
  std::vector<std::string> experts;
  bool gold = false;
  std::optional<double> category_accuracy;
  double oracle = 0, random = 0, random_active = 0;
  Interval oracle_interval, random_interval;
  // All single experts, maps and sets, and the cascades that are the best at a budget; by family, then by what they
  // cost.
  std::vector<PolicyFigures> policies;
  std::vector<BudgetFigures> budgets;
  std::optional<TopPEvaluation> top_p;  // unset with `gold`, which leaves nothing uncertain
};

// Decisions are those of policies::Choose with a configuration of these experts, votes those of combine::Winner, the
// cascades' confidence that of gate::Confidence for the signal "agreement". Everything that is chosen is chosen on the
// training rows: maps (limits from the cheapest expert to the map without a limit, kMaps of them; and the values of all
// experts less a charge for each billion, of which sets larger than a solved map can be made), the softmax'
// temperature (the one under which the experts that were right are most probable), p, the cheap experts that vote (two
// to four of those that cost at most a third of the dearest), how many must agree, and who is asked then. The values of
// the maps come from all training rows, the distributions of those rows are cross-fitted. A cheap expert that the map
// wants first is asked alone. The server's cascade compares samples of one expert; agreement of different ones is
// measured here, because rows have one answer of each.
//
// Errors: those of the rows; without `top_p_only` an experts file without sizes, rows without answers, a budget that is
// below the cheapest expert. Blocking.
Result<PolicyEvaluation> EvaluatePolicies(const EvaluatePoliciesOptions& options);

inline constexpr std::size_t kMaps = 20;

std::string PoliciesText(const PolicyEvaluation& evaluation);
std::string PoliciesJson(const PolicyEvaluation& evaluation);
// One page of HTML with the frontier as SVG; needs nothing else.
std::string PoliciesPage(const PolicyEvaluation& evaluation);

}  // namespace pointsman::offline
