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

std::string Short(double amount) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", amount);
  return text;
}

// Tokens that the answer may have at most; unset when nothing bounds it.
std::optional<unsigned> AnswerTokens(const config::Expert& expert, const RequestFacts& facts) {
  if (facts.max_tokens) return facts.max_tokens;
  if (expert.sampling.max_tokens) return expert.sampling.max_tokens;
  if (expert.context > facts.prompt_tokens) return expert.context - facts.prompt_tokens;
  return std::nullopt;
}

bool Holds(const config::Experts& experts, std::size_t expert) {
  return std::find(experts.begin(), experts.end(), expert) != experts.end();
}

std::string WhyMaskedBy(const config::Mask& mask, std::size_t expert, const char* whose) {
  if (Holds(mask.deny, expert)) return std::string("denied by the ") + whose;
  if (!mask.require.empty() && !Holds(mask.require, expert))
    return std::string("not among the experts that the ") + whose + " requires";
  return "";
}

}  // namespace

std::optional<double> EstimateCost(const config::Expert& expert, const RequestFacts& facts) {
  if (!expert.price) return std::nullopt;
  std::optional<unsigned> answer = AnswerTokens(expert, facts);
  if (!answer) {
    if (expert.price->output > 0) return std::nullopt;
    answer = 0;
  }
  return (facts.prompt_tokens * expert.price->input + *answer * expert.price->output) / 1e6;
}

std::optional<double> EstimateEnergy(const config::Expert& expert, const RequestFacts& facts) {
  if (!expert.energy) return std::nullopt;
  const std::optional<unsigned> answer = *expert.energy > 0 ? AnswerTokens(expert, facts) : 0;
  if (!answer) return std::nullopt;
  return (facts.prompt_tokens + static_cast<double>(*answer)) / 1e3 * *expert.energy;
}

std::string WhyMasked(const config::Config& config, std::size_t expert, const config::Policy& policy,
                      const RequestFacts& facts) {
  if (facts.tenant != nullptr) {
    if (std::string why = WhyMaskedBy(*facts.tenant, expert, "tenant"); !why.empty()) return why;
  }
  if (std::string why = WhyMaskedBy(policy.mask, expert, "policy"); !why.empty()) return why;
  if (!policy.budget.any()) return "";
  const config::Expert& described = config.experts[expert];
  const config::Budget& budget = policy.budget;
  if (budget.latency && described.latency && *described.latency > *budget.latency) {
    return "its latency of " + std::to_string(described.latency->count()) + " ms is above the policy's ceiling of " +
           std::to_string(budget.latency->count()) + " ms";
  }
  if (budget.price) {
    const std::optional<double> cost = EstimateCost(described, facts);
    if (!cost) return "its price is not known or nothing bounds its answer, and the policy has a budget";
    if (*cost > *budget.price) {
      return "would cost up to " + Short(*cost) + " USD, above the policy's budget of " + Short(*budget.price);
    }
  }
  if (budget.energy) {
    const std::optional<double> joules = EstimateEnergy(described, facts);
    if (!joules) return "its energy is not known or nothing bounds its answer, and the policy has a budget";
    if (*joules > *budget.energy) {
      return "would take up to " + Short(*joules) + " J, above the policy's budget of " + Short(*budget.energy);
    }
  }
  return "";
}

std::string WhyNot(const config::Expert& expert, const RequestFacts& facts) {
  if (Contains(facts.deny, expert.name)) return "denied by the request";
  if (!facts.require.empty() && !Contains(facts.require, expert.name))
    return "not among the request's required experts";
  if (expert.zero_cost()) return "";  // it can say its text to anything
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
      return "would cost up to " + Short(*cost) + " USD, above the request's ceiling of " + Short(*facts.max_cost_usd);
    }
  }
  if (facts.max_latency_ms && expert.latency && expert.latency->count() > *facts.max_latency_ms) {
    return "its latency of " + std::to_string(expert.latency->count()) + " ms is above the request's ceiling of " +
           std::to_string(*facts.max_latency_ms) + " ms";
  }
  return "";
}

}  // namespace pointsman::policies
