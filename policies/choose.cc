#include "policies/choose.h"

#include <algorithm>

#include "policies/candidates.h"
#include "policies/score/category_map.h"
#include "policies/score/predicted.h"

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
  return std::nullopt;
}

// Nobody is left: says why for each expert that was asked about.
Error NobodyLeft(const config::Config& config, const std::vector<std::string>& wanted,
                 const std::vector<Exclusion>& exclusions) {
  std::string message = "no expert can answer this request:";
  const char* separator = " ";
  for (const Exclusion& exclusion : exclusions) {
    const std::string& name = config.experts[exclusion.expert].name;
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), name) == wanted.end()) continue;
    message += separator + name + ": " + exclusion.reason;
    separator = "; ";
  }
  return InvalidArgument("", std::move(message));
}

}  // namespace

bool NeedsEvidence(const config::Policy& policy) { return std::holds_alternative<config::CategoryMap>(policy.score); }

bool NeedsPrediction(const config::Policy& policy) { return std::holds_alternative<config::Predicted>(policy.score); }

Result<Choice> Choose(const config::Config& config, const config::Policy& policy, const RequestFacts& facts,
                      const Evidence* evidence) {
  if (auto error = CheckNames(config, facts)) return *std::move(error);

  Choice choice;
  std::vector<bool> excluded(config.experts.size(), false);
  for (std::size_t i = 0; i < config.experts.size(); ++i) {
    std::string reason = WhyNot(config.experts[i], facts);
    if (reason.empty()) continue;
    excluded[i] = true;
    choice.exclusions.push_back({i, std::move(reason)});
  }

  Ask ask;
  std::vector<std::string> wanted;
  if (!facts.expert.empty()) {
    wanted = {facts.expert};
    ask.candidates = score::InOrder(config, wanted, excluded);
  } else if (const auto* pinned = std::get_if<config::Pinned>(&policy.score)) {
    wanted = pinned->experts;
    ask.candidates = score::InOrder(config, wanted, excluded);
  } else if (const auto* predicted = std::get_if<config::Predicted>(&policy.score)) {
    if (evidence == nullptr || evidence->quality.size() != config.experts.size()) {
      return Internal("policy " + policy.name + " decides by a predictor, and nothing was predicted");
    }
    std::vector<bool> known(config.experts.size(), false);
    for (const Candidate& candidate : score::ByPrediction(config, *predicted, facts, *evidence)) {
      known[candidate.expert] = true;
      if (!excluded[candidate.expert]) ask.candidates.push_back(candidate);
    }
    for (std::size_t i = 0; i < known.size(); ++i) {
      if (known[i] || excluded[i]) continue;
      choice.exclusions.push_back(
          {i, predicted->pair ? "is not of the policy's pair" : "the predictor does not know it"});
    }
    std::sort(choice.exclusions.begin(), choice.exclusions.end(),
              [](const Exclusion& a, const Exclusion& b) { return a.expert < b.expert; });
  } else {
    const auto& map = std::get<config::CategoryMap>(policy.score);
    score::Routed routed = score::ByCategory(config, map, evidence, excluded);
    choice.category = std::move(routed.category);
    ask.candidates = std::move(routed.candidates);
    wanted = std::move(routed.wanted);
  }
  if (ask.candidates.empty()) return NobodyLeft(config, wanted, choice.exclusions);
  choice.plan = std::move(ask);
  return choice;
}

}  // namespace pointsman::policies
