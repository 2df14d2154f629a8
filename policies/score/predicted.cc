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
    const auto index = [&](const std::string& name) {
      return static_cast<std::size_t>(config.FindExpert(name) - config.experts.data());
    };
    const std::size_t weak = index(rule.pair->weak), strong = index(rule.pair->strong);
    const double weak_quality = evidence.quality[weak], strong_quality = evidence.quality[strong];
    candidates = {{weak, weak_quality}, {strong, strong_quality}};
    if (strong_quality - weak_quality >= evidence.gain_threshold) std::swap(candidates[0], candidates[1]);
    return candidates;
  }
  for (std::size_t e = 0; e < config.experts.size(); ++e) {
    if (std::isnan(evidence.quality[e])) continue;
    const double cost = rule.lambda > 0 ? rule.lambda * CostOf(config.experts[e], rule.cost, facts) : 0;
    candidates.push_back({e, evidence.quality[e] - cost});
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const policies::Candidate& a, const policies::Candidate& b) { return a.score > b.score; });
  return candidates;
}

}  // namespace pointsman::score
