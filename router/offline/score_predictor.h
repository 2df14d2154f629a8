// router/offline/score_predictor.h: what each expert would score, predicted from what a request is about.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "router/offline/outcomes.h"
#include "router/offline/posteriors.h"

namespace pointsman::offline {

// Predicted scores, a row for each request, a column for each expert. Those of training rows are cross-fitted: the
// outcomes of the row's fold (posteriors.h) were not used.
struct PredictedScores {
  Matrix train, test;
};

// The expected value of the category-to-expert map: sum_c p(c | text) W[c][m], with W of values.h.
PredictedScores PredictByMap(const Outcomes& train, const Posteriors& posteriors);

// Kernel ridge regression of the scores minus their request's mean (a request's difficulty says nothing of which expert
// to take), with the kernel
//   k(i, j) = (2 + cos(i, j)) sum_c p(c | i) p(c | j) + 0.3 mean_f form_f(i) form_f(j)
// cos is that of the texts' n-grams (text_similarity.h), form what they look like (text_form.h). The 2 is the map
// again, in the form of a ridge; the cosine learns, inside a category, from requests of like wording. Ridge 15 and the
// weights were chosen by cross-validation on development rows (docs/map.md). At most kMaxKernelRows training rows are
// used, spread evenly; the texts' features and scales come from all of these. The predictions are moved to the mean
// score of all, so that both predictors can be averaged. `outcomes` must be complete (no NaN).
inline constexpr std::size_t kMaxKernelRows = 10'000;
PredictedScores PredictByKernel(const Outcomes& train, const Posteriors& posteriors,
                                const std::vector<std::string_view>& train_texts,
                                const std::vector<std::string_view>& test_texts,
                                const std::function<void(double)>& progress);

}  // namespace pointsman::offline
