#include "policies/plan.h"

namespace pointsman::policies {
namespace {

const Candidate& FirstOf(const Reply& reply) { return reply.expert; }
const Candidate& FirstOf(const Ask& ask) { return ask.candidates.front(); }
const Candidate& FirstOf(const Ensemble& ensemble) { return ensemble.members.front().candidate; }
const Candidate& FirstOf(const Cascade& cascade) {
  return std::visit([](const auto& strong) -> const Candidate& { return FirstOf(strong); }, cascade.strong);
}

}  // namespace

const Candidate& First(const Plan& plan) {
  return std::visit([](const auto& shape) -> const Candidate& { return FirstOf(shape); }, plan);
}

}  // namespace pointsman::policies
