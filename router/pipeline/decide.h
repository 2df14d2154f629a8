// router/pipeline/decide.h: from a request to a plan, the same for Complete, StreamComplete and Route.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "policies/choose.h"
#include "policies/evidence.h"
#include "router/pipeline/services.h"

namespace pointsman::pipeline {

// Who decides, and by what evidence.
struct Question {
  const config::Policy* policy;
  std::optional<policies::Evidence> evidence;
};

// The policy, and the evidence that it needs, which is described in the trace. The error is the caller's.
Result<Question> Understand(const Services& services, const v1::CompleteRequest& request, v1::Trace& trace);

// Whether the encoder lane shall be asked too: where there is one, and the classifier is not sure; then how sure it is.
std::optional<double> Escalates(const Services& services, classifier::EncoderLane* lane, const Question& question);

// Refines the evidence by a second opinion, and says so in the trace. `confidence` is the fast lane's. References must
// outlive the wait; loop thread of the lane.
Awaitable<void> AskEncoder(const Services& services, classifier::EncoderLane& lane, Deadline deadline,
                           double confidence, const v1::CompleteRequest& request, policies::Evidence& evidence,
                           v1::Trace& trace);

struct Decision {
  const config::Policy* policy;
  policies::Choice choice;
  std::vector<std::string> copied;  // what copy experts say, by expert; empty without any
  double random;
};

// From an understood request to a plan, described in the trace. `tenant` may be null.
Result<Decision> MakeDecision(const Services& services, const config::Mask* tenant, const Question& question,
                              const v1::CompleteRequest& request, v1::Trace& trace);

// In the metrics and for the controllers of the sets' masses: of a decision that is carried out.
void CountDecision(const Services& services, const Decision& decision);

// Of a policy of `config`.
std::size_t IndexOf(const config::Config& config, const config::Policy& policy);

}  // namespace pointsman::pipeline
