// router/pipeline/zero_cost.h: what experts say that cost nothing (MoE++, arXiv 2410.07348, section 3.1).
#pragma once

#include <string>
#include <string_view>

#include "config/config.h"
#include "pointsman/v1/chat.pb.h"
#include "policies/evidence.h"

namespace pointsman::pipeline {

struct ZeroCostReply {
  std::string text;
  v1::FinishReason finish = v1::FINISH_REASON_STOP;
};

// The reply of a zero-cost expert that is not a null expert: a refusal ends as FILTERED. Slots take what is known of
// the request: {category} and {probability} (a whole percentage) are empty without evidence. `copied` is what a copy
// expert says. Any thread.
ZeroCostReply ReplyOf(const config::Expert& expert, const policies::Evidence* evidence, std::string_view category,
                      std::string_view copied);

}  // namespace pointsman::pipeline
