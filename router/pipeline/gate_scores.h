// router/pipeline/gate_scores.h: what the gates of a policy say of a conversation.
#pragma once

#include "pointsman/v1/pointsman.pb.h"
#include "policies/evidence.h"
#include "router/pipeline/policy_files.h"

namespace pointsman::pipeline {

inline constexpr int kCarriedTurns = 4;  // of the user, the last one included

// Fills evidence.gates: `experts` values by the catalogue's order, NaN without a gate. With `carry` > 0 the user's
// earlier turns count too, score_t = logits(turn t) + carry * score_(t-1), from the request's own messages: no state is
// kept, so every replica says the same (the gating residual of MoE++, arXiv 2410.07348, equation 7, across turns
// instead of layers). Any thread.
void ScoreByGates(const PolicyGates& gates, double carry, const v1::CompleteRequest& request, std::size_t experts,
                  policies::Evidence& evidence);

}  // namespace pointsman::pipeline
