// router/pipeline/trace.h: decisions as the trace that clients see (trace.proto).
#pragma once

#include <span>
#include <string_view>

#include "pointsman/v1/trace.pb.h"
#include "policies/choose.h"
#include "policies/evidence.h"
#include "router/pipeline/snapshot.h"

namespace pointsman::pipeline {

// The five likeliest categories, or all of them with `explain`, and then the features of `text` that decided.
void Describe(const Snapshot& snapshot, const policies::Evidence& evidence, std::string_view text, bool explain,
              double microseconds, v1::Evidence& out);

// The predicted qualities, and the threshold where the policy routes a pair.
void Describe(const config::Config& config, const policies::Evidence& evidence, bool pair, double microseconds,
              v1::Prediction& out);

// The gates' logits.
void Describe(const config::Config& config, const policies::Evidence& evidence, double microseconds,
              v1::GateScores& out);

// Fills plan, selection and exclusions, and the category in the evidence, if there is evidence. `gates` are those of
// the policy's stages.
void Describe(const config::Config& config, const config::Policy& policy, std::span<const StageGate> gates,
              const policies::Choice& choice, v1::Trace& out);

}  // namespace pointsman::pipeline
