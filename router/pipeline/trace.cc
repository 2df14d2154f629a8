#include "router/pipeline/trace.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

namespace pointsman::pipeline {
namespace {

constexpr std::size_t kCategories = 5, kFeatures = 10;

const char* NameOf(policies::ConversationPart part) {
  switch (part) {
    case policies::ConversationPart::kLastTurn: return "last_turn";
    case policies::ConversationPart::kHistory: return "history";
    case policies::ConversationPart::kSystem: return "system";
  }
  return "unknown";
}

const char* NameOf(config::GateRule rule) {
  switch (rule) {
    case config::GateRule::kThreshold: return "threshold";
    case config::GateRule::kStochastic: return "stochastic";
    case config::GateRule::kMixture: return "mixture";
  }
  return "unknown";
}

const char* NameOf(config::ZeroCost kind) {
  switch (kind) {
    case config::ZeroCost::kRefuse: return "refuse";
    case config::ZeroCost::kCanned: return "canned";
    case config::ZeroCost::kCopy: return "copy";
    case config::ZeroCost::kNull: return "nobody";
  }
  return "unknown";
}

// A plan as the trace has it.
struct PlanWriter {
  const config::Config& config;
  const config::Policy& policy;
  std::span<const StageGate> gates;

  void Write(const policies::Candidate& candidate, v1::Candidate& out) const {
    out.set_expert(config.experts[candidate.expert].name);
    out.set_score(candidate.score);
    out.set_probability(candidate.probability);
  }
  void Fill(const policies::Ask& ask, v1::Ask& out) const {
    for (const policies::Candidate& candidate : ask.candidates) Write(candidate, *out.add_candidates());
  }
  void Fill(const policies::Ensemble& ensemble, v1::EnsemblePlan& out) const {
    for (const policies::Member& member : ensemble.members) {
      v1::Member& m = *out.add_members();
      Write(member.candidate, *m.mutable_candidate());
      m.set_weight(member.weight);
    }
    out.set_combine(ensemble.combine == config::Combine::kVote ? "vote" : "best");
    for (const policies::Candidate& candidate : ensemble.fallback) Write(candidate, *out.add_fallback());
  }
  void Write(const policies::Reply& reply, v1::Plan& out) const {
    Write(reply.expert, *out.mutable_reply()->mutable_expert());
    out.mutable_reply()->set_kind(NameOf(config.experts[reply.expert.expert].zero_cost()->kind));
  }
  void Write(const policies::Ask& ask, v1::Plan& out) const { Fill(ask, *out.mutable_ask()); }
  void Write(const policies::Ensemble& ensemble, v1::Plan& out) const { Fill(ensemble, *out.mutable_ensemble()); }
  void Write(const policies::Cascade& cascade, v1::Plan& out) const {
    v1::CascadePlan& c = *out.mutable_cascade();
    for (const std::size_t index : cascade.stages) {
      const config::Stage& stage = policy.cascade[index];
      v1::CascadeStage& s = *c.add_stages();
      s.set_expert(config.experts[stage.expert].name);
      s.set_gate(stage.gate.empty() ? stage.signal : stage.gate.filename().string());
      s.set_rule(NameOf(stage.rule));
      if (index < gates.size()) s.set_threshold(gates[index].threshold);
      s.set_tokens(stage.tokens);
      s.set_samples(stage.samples);
    }
    if (const auto* ask = std::get_if<policies::Ask>(&cascade.strong)) {
      Fill(*ask, *c.mutable_ask());
    } else {
      Fill(std::get<policies::Ensemble>(cascade.strong), *c.mutable_ensemble());
    }
  }
};

}  // namespace

void Describe(const Snapshot& snapshot, const policies::Evidence& evidence, std::string_view text, bool explain,
              double microseconds, v1::Evidence& out) {
  out.set_likeliest(evidence.categories[evidence.likeliest]);
  out.set_probability(evidence.probabilities[evidence.likeliest]);
  out.set_entropy(evidence.entropy);
  out.set_entropy_threshold(evidence.entropy_threshold);
  out.set_uncertain(evidence.uncertain);
  out.set_novelty(evidence.novelty);
  out.set_novelty_threshold(evidence.novelty_threshold);
  out.set_foreign(evidence.foreign);
  out.set_contradiction(evidence.contradiction);
  out.set_contradiction_threshold(evidence.contradiction_threshold);
  out.set_mixed(evidence.mixed);
  out.set_bytes_read(static_cast<std::uint32_t>(evidence.bytes_read));
  out.set_bytes_total(static_cast<std::uint32_t>(evidence.bytes_total));
  out.set_classify_microseconds(microseconds);
  for (const policies::PartEvidence& part : evidence.parts) {
    v1::PartEvidence* p = out.add_parts();
    p->set_part(NameOf(part.part));
    p->set_weight(part.weight);
    p->set_likeliest(evidence.categories[part.likeliest]);
    p->set_probability(part.probability);
  }

  std::size_t all = evidence.probabilities.size();
  std::size_t shown = explain ? all : std::min(all, kCategories);
  std::vector<std::size_t> order(all);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::partial_sort(
      order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown), order.end(),
      [&](std::size_t a, std::size_t b) { return evidence.probabilities[a] > evidence.probabilities[b]; });
  for (std::size_t i = 0; i < shown; ++i) {
    v1::CategoryScore* score = out.add_categories();
    score->set_category(evidence.categories[order[i]]);
    score->set_probability(evidence.probabilities[order[i]]);
  }
  if (!explain) return;
  for (const auto& [feature, weight] : snapshot.classifier->Explain(text, evidence.likeliest, kFeatures)) {
    v1::FeatureWeight* f = out.add_features();
    f->set_feature(feature);
    f->set_weight(weight);
  }
}

void Describe(const config::Config& config, const policies::Evidence& evidence, bool pair, double microseconds,
              v1::Prediction& out) {
  for (std::size_t e = 0; e < evidence.quality.size(); ++e) {
    if (std::isnan(evidence.quality[e])) continue;
    v1::ExpertQuality* expert = out.add_experts();
    expert->set_expert(config.experts[e].name);
    expert->set_quality(evidence.quality[e]);
  }
  if (pair) out.set_gain_threshold(evidence.gain_threshold);
  out.set_microseconds(microseconds);
}

void Describe(const config::Config& config, const config::Policy& policy, std::span<const StageGate> gates,
              const policies::Choice& choice, v1::Trace& out) {
  if (out.has_evidence()) out.mutable_evidence()->set_category(std::string(choice.category));
  for (const policies::Exclusion& exclusion : choice.exclusions) {
    v1::Exclusion* e = out.add_exclusions();
    e->set_expert(config.experts[exclusion.expert].name);
    e->set_reason(exclusion.reason);
  }
  PlanWriter writer{config, policy, gates};
  std::visit([&](const auto& shape) { writer.Write(shape, *out.mutable_plan()); }, choice.plan);
  out.mutable_plan()->set_otherwise(choice.otherwise);
  if (!choice.selected) return;
  v1::Selection& selection = *out.mutable_selection();
  selection.set_rule(policy.select.rule == config::Select::kTopK ? "top_k" : "top_p");
  selection.set_mass(choice.mass);
  selection.set_models(static_cast<std::uint32_t>(choice.models));
  selection.set_nulls(static_cast<std::uint32_t>(choice.nulls));
  selection.set_over_budget(choice.over_budget);
}

void Describe(const config::Config& config, const policies::Evidence& evidence, double microseconds,
              v1::GateScores& out) {
  for (std::size_t e = 0; e < evidence.gates.size(); ++e) {
    if (std::isnan(evidence.gates[e])) continue;
    v1::ExpertQuality* expert = out.add_experts();
    expert->set_expert(config.experts[e].name);
    expert->set_quality(evidence.gates[e]);
  }
  out.set_microseconds(microseconds);
}

}  // namespace pointsman::pipeline
