#include "policies/candidates.h"

#include <algorithm>
#include <cstdio>

namespace pointsman::policies {
namespace {

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

const char* Need(config::Capability capability) {
  switch (capability) {
    case config::kTools: return "cannot call tools";
    case config::kImages: return "cannot read images";
    case config::kJsonSchema: return "cannot keep to a JSON schema";
    case config::kGrammar: return "cannot keep to a grammar";
    case config::kLogprobs: return "cannot report log-probabilities";
  }
  return "lacks a capability";
}

std::string Dollars(double amount) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", amount);
  return text;
}

}  // namespace

std::optional<double> EstimateCost(const config::Expert& expert, const RequestFacts& facts) {
  if (!expert.price) return std::nullopt;
  std::optional<unsigned> answer = facts.max_tokens ? facts.max_tokens : expert.sampling.max_tokens;
  if (!answer && expert.context > facts.prompt_tokens) answer = expert.context - facts.prompt_tokens;
  if (!answer) {
    if (expert.price->output > 0) return std::nullopt;
    answer = 0;
  }
  return (facts.prompt_tokens * expert.price->input + *answer * expert.price->output) / 1e6;
}

std::string WhyNot(const config::Expert& expert, const RequestFacts& facts) {
  if (Contains(facts.deny, expert.name)) return "denied by the request";
  if (!facts.require.empty() && !Contains(facts.require, expert.name))
    return "not among the request's required experts";
  for (config::Capability capability : config::kAllCapabilities) {
    if ((facts.needs & capability) && !(expert.capabilities & capability)) return Need(capability);
  }
  if (expert.context != 0 && facts.prompt_tokens >= expert.context) {
    return "its context of " + std::to_string(expert.context) + " tokens is too short for a prompt of about " +
           std::to_string(facts.prompt_tokens);
  }
  if (facts.max_cost_usd) {
    std::optional<double> cost = EstimateCost(expert, facts);
    if (!expert.price) return "has no configured price, and the request has a cost ceiling";
    if (!cost) return "nothing bounds the length of its answer, and the request has a cost ceiling: set max_tokens";
    if (*cost > *facts.max_cost_usd) {
      return "would cost up to " + Dollars(*cost) + " USD, above the request's ceiling of " +
             Dollars(*facts.max_cost_usd);
    }
  }
  if (facts.max_latency_ms && expert.latency && expert.latency->count() > *facts.max_latency_ms) {
    return "its latency of " + std::to_string(expert.latency->count()) + " ms is above the request's ceiling of " +
           std::to_string(*facts.max_latency_ms) + " ms";
  }
  return "";
}

}  // namespace pointsman::policies
