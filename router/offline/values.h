// router/offline/values.h: how good each expert is in each category, from few rows: a two-level normal model.
#pragma once

#include <cstddef>
#include <vector>

#include "router/offline/outcomes.h"

namespace pointsman::offline {

// Estimated mean scores W[category][expert].
struct Values {
  std::vector<std::vector<double>> value;      // [0, 1]
  std::vector<std::vector<double>> deviation;  // standard deviation of the estimate, given the model
  std::vector<std::vector<std::size_t>> rows;  // behind it
  std::vector<double> share;                   // of the requests in each category, sum 1
  std::vector<double> overall;                 // by expert, on the average request
  double spread = 0;                           // tau: standard deviation, over categories, of an expert's advantage
  double scale = 1;  // factor on tau^2 that cross-validation chose; 0 = no differences, infinite = no shrinkage
};

// The score of expert m for request i of category c is modelled as
//   s_im = mu_m + a_i + g_cm + e_im,   g_cm ~ N(0, scale * tau^2),   e_im ~ N(0, v_m)
// a two-way layout with a random interaction (Searle, Casella & McCulloch, Variance Components, 1992, chapter 5;
// shrinkage as in Efron & Morris 1975). The difficulty a_i of a request cancels in every comparison of experts, so it
// is taken out before the variances are measured: differences of experts are known better than their means. Where
// requests have one expert each, a_i is that of the category. tau^2 and v_m come from the rows by the method of
// moments; `scale` in {0, 1/4, 1, 4, infinity} is the one with the least squared error in five-fold cross-validation
// (row i is in fold i % 5). A category of 12 rows thus leans to mu_m plus what is common to all experts in it. `rows`
// index `outcomes.rows`; at least one row. Deterministic, any thread.
Values EstimateValues(const Outcomes& outcomes, const std::vector<std::size_t>& rows);

}  // namespace pointsman::offline
