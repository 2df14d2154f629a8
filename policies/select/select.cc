#include "policies/select/select.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "policies/candidates.h"
#include "policies/select/affordable.h"
#include "policies/select/top_p.h"

namespace pointsman::select {
namespace {

using policies::Candidate;

// The best affordable set, where the first `count` together are too dear; drops whom the rule does not need.
std::vector<std::size_t> UnderBudget(const config::Config& config, const config::Policy& policy,
                                     const policies::RequestFacts& facts, const std::vector<Candidate>& candidates,
                                     std::size_t count, double mass) {
  constexpr double kNone = std::numeric_limits<double>::infinity();
  std::vector<Costs> costs;
  std::vector<double> probabilities;
  for (std::size_t i = 0; i < std::min(candidates.size(), kMostWeighed); ++i) {
    const config::Expert& expert = config.experts[candidates[i].expert];
    costs.push_back({policy.budget.price ? *policies::EstimateCost(expert, facts) : 0,
                     policy.budget.energy ? *policies::EstimateEnergy(expert, facts) : 0});
    probabilities.push_back(candidates[i].probability);
  }
  const Ceilings ceilings = {policy.budget.price.value_or(kNone), policy.budget.energy.value_or(kNone)};
  const std::size_t most = policy.select.rule == config::Select::kTopK ? count : policy.select.most;
  std::vector<std::size_t> set = BestAffordable(probabilities, costs, ceilings, most);
  double sum = 0;
  for (const std::size_t i : set) sum += probabilities[i];
  while (policy.select.rule == config::Select::kTopP && set.size() > 1 && sum - probabilities[set.back()] >= mass) {
    sum -= probabilities[set.back()];
    set.pop_back();
  }
  return set;
}

}  // namespace

void ToProbabilities(const config::Selection& rule, bool shares, std::vector<Candidate>& candidates) {
  double sum = 0;
  for (Candidate& candidate : candidates) {
    candidate.probability =
        shares ? candidate.score : std::exp((candidate.score - candidates.front().score) / rule.temperature);
    sum += candidate.probability;
  }
  if (!(sum > 0)) {
    for (Candidate& candidate : candidates) candidate.probability = 1.0 / static_cast<double>(candidates.size());
    return;
  }
  for (Candidate& candidate : candidates) candidate.probability /= sum;
}

Selected Select(const config::Config& config, const config::Policy& policy, const policies::RequestFacts& facts,
                std::vector<Candidate>& candidates) {
  Selected selected;
  if (policy.select.rule == config::Select::kTopK) {
    selected.count = std::min<std::size_t>(policy.select.k, candidates.size());
  } else {
    selected.mass = facts.mass.value_or(policy.select.mass);
    thread_local std::vector<double> probabilities;
    probabilities.clear();
    for (const Candidate& candidate : candidates) probabilities.push_back(candidate.probability);
    selected.count = CountToReach({selected.mass, policy.select.most}, probabilities);
  }
  if (!policy.budget.price && !policy.budget.energy) return selected;
  const std::vector<std::size_t> set = UnderBudget(config, policy, facts, candidates, selected.count, selected.mass);
  selected.over_budget = set.size() != selected.count || (!set.empty() && set.back() + 1 != set.size());
  auto front = candidates.begin();
  for (const std::size_t i : set) {  // ascending: those in between keep their order
    const auto chosen = candidates.begin() + static_cast<std::ptrdiff_t>(i);
    std::rotate(front++, chosen, chosen + 1);
  }
  selected.count = set.size();
  return selected;
}

}  // namespace pointsman::select
