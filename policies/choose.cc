#include "policies/choose.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "policies/candidates.h"
#include "policies/score/category_map.h"
#include "policies/score/gates.h"
#include "policies/score/predicted.h"
#include "policies/score/random.h"
#include "policies/select/select.h"

namespace pointsman::policies {
namespace {

std::string KnownExperts(const config::Config& config) {
  std::string names;
  for (const config::Expert& expert : config.experts) names += (names.empty() ? "" : ", ") + expert.name;
  return names;
}

// The request's names must exist: a misspelt deny list that denies nobody would be worse than an error.
std::optional<Error> CheckNames(const config::Config& config, const RequestFacts& facts) {
  auto unknown = [&](const std::string& field, const std::string& name) -> std::optional<Error> {
    if (config.FindExpert(name)) return std::nullopt;
    return InvalidArgument(field, "unknown expert '" + name + "'; known: " + KnownExperts(config));
  };
  if (!facts.expert.empty()) {
    if (auto error = unknown("routing.expert", facts.expert)) return error;
  }
  for (std::size_t i = 0; i < facts.deny.size(); ++i) {
    if (auto error = unknown("routing.deny[" + std::to_string(i) + "]", facts.deny[i])) return error;
  }
  for (std::size_t i = 0; i < facts.require.size(); ++i) {
    if (auto error = unknown("routing.require[" + std::to_string(i) + "]", facts.require[i])) return error;
  }
  for (const auto& [name, boost] : facts.boost) {
    if (auto error = unknown("routing.boost[" + name + "]", name)) return error;
  }
  return std::nullopt;
}

std::size_t IndexOf(const config::Config& config, const std::string& name) {
  return static_cast<std::size_t>(config.FindExpert(name) - config.experts.data());
}

// Nobody is left: says why for each expert that was asked about.
Error NobodyLeft(const config::Config& config, const config::Experts& wanted,
                 const std::vector<Exclusion>& exclusions) {
  std::string message = "no expert can answer this request:";
  const char* separator = " ";
  for (const Exclusion& exclusion : exclusions) {
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), exclusion.expert) == wanted.end()) continue;
    message += separator + config.experts[exclusion.expert].name + ": " + exclusion.reason;
    separator = "; ";
  }
  return InvalidArgument("", std::move(message));
}

// Who cannot or must not answer, by the catalogue's order.
void Exclude(const config::Config& config, const config::Policy& policy, const RequestFacts& facts,
             std::vector<bool>& excluded, std::vector<Exclusion>& exclusions) {
  const bool masked = facts.tenant != nullptr || policy.mask.any() || policy.budget.any();
  excluded.assign(config.experts.size(), false);
  for (std::size_t i = 0; i < config.experts.size(); ++i) {
    std::string reason = WhyNot(config.experts[i], facts);
    if (reason.empty() && masked) reason = WhyMasked(config, i, policy, facts);
    if (reason.empty() && i < facts.cannot.size()) reason = facts.cannot[i];
    if (reason.empty()) continue;
    excluded[i] = true;
    exclusions.push_back({i, std::move(reason)});
  }
}

// What a policy's scorer says.
struct Scored {
  std::vector<Candidate> candidates;  // best first
  bool shares = false;                // the scores are probabilities
  const config::Experts* wanted = nullptr;
};

Result<Scored> ScoreExperts(const config::Config& config, const config::Policy& policy, const RequestFacts& facts,
                            const Evidence* evidence, bool several, const std::vector<bool>& excluded, Choice& choice) {
  Scored scored;
  if (const auto* pinned = std::get_if<config::Pinned>(&policy.score)) {
    scored.wanted = &pinned->experts;
    scored.candidates = score::InOrder(pinned->experts, excluded, several);
    scored.shares = several;
  } else if (const auto* random = std::get_if<config::Random>(&policy.score)) {
    scored.wanted = &random->experts;
    scored.candidates = score::AtRandom(random->experts, facts.random, excluded);
    scored.shares = true;
  } else if (const auto* map = std::get_if<config::CategoryMap>(&policy.score)) {
    score::Routed routed = score::ByCategory(config, *map, evidence, excluded, several);
    choice.category = routed.category;
    scored = {std::move(routed.candidates), routed.shares, routed.wanted};
  } else if (std::holds_alternative<config::Gates>(policy.score)) {
    if (evidence == nullptr || evidence->gates.size() != config.experts.size()) {
      return Internal("policy " + policy.name + " decides by gates, and nothing went through them");
    }
    scored.candidates = score::ByGates(config, *evidence, excluded);
  } else {
    const auto& predicted = std::get<config::Predicted>(policy.score);
    if (evidence == nullptr || evidence->quality.size() != config.experts.size()) {
      return Internal("policy " + policy.name + " decides by a predictor, and nothing was predicted");
    }
    scored.candidates = score::ByPrediction(config, predicted, facts, *evidence);
    std::erase_if(scored.candidates, [&](const Candidate& c) { return excluded[c.expert]; });
  }
  return scored;
}

// Experts that the scorer knows nothing of are no candidates either, and that has a reason too.
void ExplainUnscored(const config::Config& config, const config::Policy& policy, const std::vector<bool>& excluded,
                     const std::vector<Candidate>& candidates, Choice& choice) {
  const auto* predicted = std::get_if<config::Predicted>(&policy.score);
  const bool gates = std::holds_alternative<config::Gates>(policy.score);
  if (predicted == nullptr && !gates) return;
  // Nobody is scored twice, and nobody who is excluded.
  if (candidates.size() + choice.exclusions.size() == config.experts.size()) return;
  thread_local std::vector<bool> known;
  known.assign(config.experts.size(), false);
  for (const Candidate& candidate : candidates) known[candidate.expert] = true;
  const std::size_t before = choice.exclusions.size();
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (known[i] || excluded[i]) continue;
    choice.exclusions.push_back({i, gates             ? "has no gate in this policy"
                                    : predicted->pair ? "is not of the policy's pair"
                                                      : "the predictor does not know it"});
  }
  if (choice.exclusions.size() == before) return;
  std::sort(choice.exclusions.begin(), choice.exclusions.end(),
            [](const Exclusion& a, const Exclusion& b) { return a.expert < b.expert; });
}

// Adds the boosts of policy, tenant and request: to a score, or as a factor of e^boost to a probability; and puts the
// candidates in order again.
void Boost(const config::Config& config, const config::Policy& policy, const RequestFacts& facts, Scored& scored) {
  const auto add = [&](std::size_t expert, double boost) {
    for (Candidate& candidate : scored.candidates) {
      if (candidate.expert != expert) continue;
      candidate.score = scored.shares ? candidate.score * std::exp(boost) : candidate.score + boost;
    }
  };
  for (const auto& [expert, boost] : policy.mask.boost) add(expert, boost);
  if (facts.tenant != nullptr) {
    for (const auto& [expert, boost] : facts.tenant->boost) add(expert, boost);
  }
  for (const auto& [name, boost] : facts.boost) add(IndexOf(config, name), boost);
  std::stable_sort(scored.candidates.begin(), scored.candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
  double total = 0;
  for (const Candidate& candidate : scored.candidates) total += candidate.score;
  if (!scored.shares || !(total > 0)) return;
  for (Candidate& candidate : scored.candidates) candidate.score /= total;
}

bool Boosted(const config::Policy& policy, const RequestFacts& facts) {
  return !policy.mask.boost.empty() || !facts.boost.empty() ||
         (facts.tenant != nullptr && !facts.tenant->boost.empty());
}

bool IsNull(const config::Config& config, const Candidate& candidate) {
  const config::ZeroCostBackend* zero_cost = config.experts[candidate.expert].zero_cost();
  return zero_cost != nullptr && zero_cost->kind == config::ZeroCost::kNull;
}

// The first candidate's plan where one answers at a time.
Plan OneByOne(const config::Config& config, std::vector<Candidate> candidates) {
  if (candidates.size() > kMostCandidates) candidates.resize(kMostCandidates);
  if (config.experts[candidates.front().expert].zero_cost()) return Reply{candidates.front()};
  return Ask{std::move(candidates)};
}

// The plan of those that were selected, `count` from the front; empty when these are null experts alone.
std::optional<Plan> Together(const config::Config& config, const config::Policy& policy,
                             const std::vector<Candidate>& candidates, std::size_t count, Choice& choice) {
  std::vector<Candidate> selected, rest;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (i >= count && rest.size() == kMostCandidates) break;  // no plan has more
    const bool null = IsNull(config, candidates[i]);
    if (i < count) ++(null ? choice.nulls : choice.models);
    if (!null) (i < count ? selected : rest).push_back(candidates[i]);
  }
  if (selected.empty()) return std::nullopt;
  const auto costs_nothing = [&](const Candidate& c) { return config.experts[c.expert].zero_cost() != nullptr; };
  // A fixed reply that scores best answers alone, one that does not has no vote among answers.
  const bool reply = costs_nothing(selected.front());
  if (!reply) std::erase_if(selected, costs_nothing);
  if (reply || selected.size() == 1) {
    selected.insert(selected.end(), rest.begin(), rest.end());
    return OneByOne(config, std::move(selected));
  }
  Ensemble ensemble;
  ensemble.combine = policy.ensemble.value_or(config::Combine::kBest);
  double total = 0;
  for (const Candidate& candidate : selected) total += candidate.probability;
  for (const Candidate& candidate : selected) {
    // The paper weighs outputs by the raw probabilities (arXiv 2403.07652, section 3.1), which leaves the missing mass
    // to the residual stream; a vote has none, so they are renormalised (ours).
    ensemble.members.push_back(
        {candidate, total > 0 ? candidate.probability / total : 1.0 / static_cast<double>(selected.size())});
  }
  ensemble.fallback = std::move(rest);
  return ensemble;
}

// Puts the weak experts before the plan, but for those who are its first choice anyway.
Plan WithCascade(const config::Policy& policy, const std::vector<bool>& excluded, Plan plan) {
  if (policy.cascade.empty() || std::holds_alternative<Reply>(plan)) return plan;
  Cascade cascade;
  const std::size_t best = First(plan).expert;
  for (std::size_t s = 0; s < policy.cascade.size(); ++s) {
    const std::size_t weak = policy.cascade[s].expert;
    if (weak == best) break;  // whoever comes after it is no step up
    if (!excluded[weak]) cascade.stages.push_back(s);
  }
  if (cascade.stages.empty()) return plan;
  // A weak expert whose answer was not kept is still better than none.
  std::vector<Candidate>* fallback = nullptr;
  if (auto* ask = std::get_if<Ask>(&plan)) {
    cascade.strong = std::move(*ask);
    fallback = &std::get<Ask>(cascade.strong).candidates;
  } else {
    cascade.strong = std::move(std::get<Ensemble>(plan));
    fallback = &std::get<Ensemble>(cascade.strong).fallback;
  }
  for (std::size_t i = cascade.stages.size(); i-- > 0;) {
    const std::size_t weak = policy.cascade[cascade.stages[i]].expert;
    const auto same = [&](const Candidate& c) { return c.expert == weak; };
    if (std::none_of(fallback->begin(), fallback->end(), same)) fallback->push_back({weak, 0});
  }
  return cascade;
}

}  // namespace

bool NeedsEvidence(const config::Policy& policy) { return std::holds_alternative<config::CategoryMap>(policy.score); }

bool NeedsPrediction(const config::Policy& policy) { return std::holds_alternative<config::Predicted>(policy.score); }

bool NeedsGates(const config::Policy& policy) { return std::holds_alternative<config::Gates>(policy.score); }

Result<Choice> Choose(const config::Config& config, const config::Policy& policy, const RequestFacts& facts,
                      const Evidence* evidence) {
  if (auto error = CheckNames(config, facts)) return *std::move(error);

  Choice choice;
  thread_local std::vector<bool> excluded;
  Exclude(config, policy, facts, excluded, choice.exclusions);

  if (!facts.expert.empty()) {
    const config::Experts pinned = {IndexOf(config, facts.expert)};
    std::vector<Candidate> candidates = score::InOrder(pinned, excluded);
    if (candidates.empty()) return NobodyLeft(config, pinned, choice.exclusions);
    if (IsNull(config, candidates[0])) {
      return InvalidArgument("routing.expert", "expert '" + facts.expert + "' answers nothing: it is a null expert");
    }
    choice.plan = OneByOne(config, std::move(candidates));
    return choice;
  }

  const bool several = policy.select.rule != config::Select::kBest;
  const bool boosted = Boosted(policy, facts);
  auto scored = ScoreExperts(config, policy, facts, evidence, several || boosted, excluded, choice);
  if (!scored) return std::move(scored).error();
  std::vector<Candidate>& candidates = scored->candidates;
  ExplainUnscored(config, policy, excluded, candidates, choice);
  if (boosted) Boost(config, policy, facts, *scored);

  std::optional<Plan> plan;
  if (several && !candidates.empty()) {
    select::ToProbabilities(policy.select, scored->shares, candidates);
    const select::Selected selected = select::Select(config, policy, facts, candidates);
    choice.selected = true;
    choice.mass = selected.mass;
    choice.over_budget = selected.over_budget;
    plan = Together(config, policy, candidates, selected.count, choice);
  } else if (!candidates.empty() && !IsNull(config, candidates.front())) {
    plan = OneByOne(config, std::move(candidates));
  }
  if (!plan) {
    choice.otherwise = true;
    std::erase_if(candidates, [&](const Candidate& c) { return IsNull(config, c); });
    if (policy.otherwise && !excluded[*policy.otherwise]) candidates.insert(candidates.begin(), {*policy.otherwise, 0});
    if (candidates.empty()) {
      config::Experts wanted = scored->wanted != nullptr ? *scored->wanted : config::Experts();
      if (const auto* map = std::get_if<config::CategoryMap>(&policy.score)) {
        const config::Experts& generalists = map->experts.at(score::kGeneral);
        wanted.insert(wanted.end(), generalists.begin(), generalists.end());
      }
      return NobodyLeft(config, wanted, choice.exclusions);
    }
    plan = OneByOne(config, std::move(candidates));
  }
  choice.plan = WithCascade(policy, excluded, *std::move(plan));
  return choice;
}

}  // namespace pointsman::policies
