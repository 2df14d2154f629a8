#include "router/classifier/conversation.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "router/classifier/linear.h"

namespace pointsman::classifier {
namespace {

constexpr double kLeastProbability = 1e-6;

policies::PartEvidence Describe(policies::ConversationPart part, const policies::Evidence& evidence, double weight) {
  return {part, weight, evidence.likeliest, evidence.probabilities[evidence.likeliest]};
}

}  // namespace

policies::Evidence Classify(const Classifier& classifier, const Conversation& conversation,
                            const PartWeights& weights) {
  policies::Evidence evidence = classifier.Classify(conversation.last);
  const bool history = !conversation.history.empty() && weights.history > 0;
  const bool system = !conversation.system.empty() && weights.system > 0;
  if (!history && !system) return evidence;

  const std::size_t count = evidence.probabilities.size();
  std::vector<double> logits(count, 0);
  const auto add = [&](const policies::Evidence& part, double weight) {
    for (std::size_t c = 0; c < count && weight > 0; ++c) {
      const double p = weight * part.probabilities[c] + (1 - weight) / static_cast<double>(count);
      logits[c] += std::log(std::max(p, kLeastProbability));
    }
  };
  policies::Evidence before, rules;
  const auto read = [&](std::string_view text, policies::Evidence& part) {
    part = classifier.Classify(text);
    evidence.bytes_read += part.bytes_read;
    evidence.bytes_total += part.bytes_total;
  };
  if (history) read(conversation.history, before);
  if (system) read(conversation.system, rules);

  const bool inherits = evidence.foreign && history && !before.foreign;
  add(evidence, inherits ? 0 : 1);
  evidence.parts.push_back(Describe(policies::ConversationPart::kLastTurn, evidence, inherits ? 0 : 1));
  if (history) {
    const double weight = before.foreign ? 0 : weights.history;
    add(before, weight);
    evidence.parts.push_back(Describe(policies::ConversationPart::kHistory, before, weight));
  }
  if (system) {
    const double weight = rules.foreign ? 0 : weights.system;
    add(rules, weight);
    evidence.parts.push_back(Describe(policies::ConversationPart::kSystem, rules, weight));
  }
  if (inherits) {
    evidence.novelty = before.novelty;
    evidence.foreign = false;
  }
  evidence.probabilities.assign(logits.begin(), logits.end());
  Normalise(evidence);
  evidence.uncertain = evidence.foreign || evidence.mixed || evidence.entropy > evidence.entropy_threshold;
  return evidence;
}

}  // namespace pointsman::classifier
