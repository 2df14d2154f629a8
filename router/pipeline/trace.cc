#include "router/pipeline/trace.h"

#include <algorithm>
#include <cmath>
#include <numeric>

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

void Describe(const config::Config& config, const policies::Choice& choice, v1::Trace& out) {
  if (out.has_evidence()) out.mutable_evidence()->set_category(choice.category);
  for (const policies::Exclusion& exclusion : choice.exclusions) {
    v1::Exclusion* e = out.add_exclusions();
    e->set_expert(config.experts[exclusion.expert].name);
    e->set_reason(exclusion.reason);
  }
  v1::Ask* ask = out.mutable_plan()->mutable_ask();
  for (const policies::Candidate& candidate : std::get<policies::Ask>(choice.plan).candidates) {
    v1::Candidate* c = ask->add_candidates();
    c->set_expert(config.experts[candidate.expert].name);
    c->set_score(candidate.score);
  }
}

}  // namespace pointsman::pipeline
