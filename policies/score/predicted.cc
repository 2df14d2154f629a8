#include "policies/score/predicted.h"

#include <algorithm>
#include <cmath>

#include "policies/candidates.h"

namespace pointsman::score {
namespace {

constexpr unsigned kUnboundedAnswer = 1024;  // tokens

}  // namespace

double CostOf(const config::Expert& expert, config::Cost cost, const policies::RequestFacts& facts) {
  if (cost == config::Cost::kParameters) return expert.parameters.value_or(0);
  policies::RequestFacts bounded = facts;
  if (!bounded.max_tokens && !expert.sampling.max_tokens) bounded.max_tokens = kUnboundedAnswer;
  return policies::EstimateCost(expert, bounded).value_or(0);
}

std::vector<policies::Candidate> ByPrediction(const config::Config& config, const config::Predicted& rule,
                                              const policies::RequestFacts& facts, const policies::Evidence& evidence) {
  std::vector<policies::Candidate> candidates;
  if (rule.pair) {
    const std::size_t weak = rule.pair->weak, strong = rule.pair->strong;
    const double weak_quality = evidence.quality[weak], strong_quality = evidence.quality[strong];
    candidates = {{weak, weak_quality}, {strong, strong_quality}};
    if (strong_quality - weak_quality >= evidence.gain_threshold) std::swap(candidates[0], candidates[1]);
    return candidates;
  }
  for (std::size_t e = 0; e < config.experts.size(); ++e) {
    const config::ZeroCostBackend* zero_cost = config.experts[e].zero_cost();
    if (std::isnan(evidence.quality[e])) {
      if (zero_cost != nullptr && zero_cost->score) candidates.push_back({e, *zero_cost->score});
      continue;
    }
    const double cost = rule.lambda > 0 ? rule.lambda * CostOf(config.experts[e], rule.cost, facts) : 0;
    candidates.push_back({e, evidence.quality[e] - cost});
  }
  std::sort(candidates.begin(), candidates.end(), [](const policies::Candidate& a, const policies::Candidate& b) {
    return a.score != b.score ? a.score > b.score : a.expert < b.expert;
  });
  return candidates;
}

}  // namespace pointsman::score
