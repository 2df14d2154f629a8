// router/pipeline/predictions.h: the predictors of the configuration's policies, ready to say what each expert's answer
// is worth.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "config/problem.h"
#include "policies/evidence.h"
#include "router/classifier/predictor.h"

namespace pointsman::pipeline {

// A policy's predictor.
struct PolicyPredictor {
  std::shared_ptr<const classifier::Predictor> model;  // null: the policy needs none
  std::vector<std::size_t> column;                     // of each configured expert; kUnknown where there is none
  double gain_threshold = 0;                           // for a pair
};
inline constexpr std::size_t kUnknown = static_cast<std::size_t>(-1);

// One for each policy of `config`, in its order; policies that name one file share its model. Blocking. Problems: a
// file that is missing or damaged, experts in it that the configuration lacks, a pair that it does not know, an expert
// without the price or size that `lambda` weighs. Then the result is empty.
std::vector<PolicyPredictor> LoadPredictors(const config::Config& config, std::vector<config::Problem>& problems);

// Fills `evidence.quality` and `evidence.gain_threshold`. `predictor.model` is not null. Any thread.
void Predict(const PolicyPredictor& predictor, std::string_view text, policies::Evidence& evidence);

}  // namespace pointsman::pipeline
