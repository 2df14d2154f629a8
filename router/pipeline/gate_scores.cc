#include "router/pipeline/gate_scores.h"

#include <limits>

#include "router/pipeline/facts.h"

namespace pointsman::pipeline {

void ScoreByGates(const PolicyGates& gates, double carry, const v1::CompleteRequest& request, std::size_t experts,
                  policies::Evidence& evidence) {
  thread_local std::vector<float> logits, scores;
  logits.resize(gates.gates->size());
  scores.assign(gates.gates->size(), 0);
  // The user's turns from the latest one back; each counts `carry` times less than the one after it.
  double weight = 1;
  int turns = 0;
  std::string storage;
  for (int i = request.messages_size() - 1; i >= 0 && turns < kCarriedTurns && weight > 0; --i) {
    if (request.messages(i).role() != v1::ROLE_USER) continue;
    storage.clear();
    gates.gates->Logits(TextOf(request.messages(i), storage), logits);
    for (std::size_t g = 0; g < logits.size(); ++g) scores[g] += static_cast<float>(weight) * logits[g];
    weight *= carry;
    ++turns;
  }
  evidence.gates.assign(experts, std::numeric_limits<float>::quiet_NaN());
  for (std::size_t g = 0; g < scores.size(); ++g) evidence.gates[gates.experts[g]] = scores[g];
}

}  // namespace pointsman::pipeline
