#include "router/pipeline/zero_cost.h"

#include <cmath>

namespace pointsman::pipeline {
namespace {

// Fills in {slot}; {{ and }} are braces. The configuration has checked the names.
std::string Fill(std::string_view text, const config::Expert& expert, const policies::Evidence* evidence,
                 std::string_view category) {
  std::string filled;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '{' && text[i] != '}') {
      filled += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == text[i]) {
      filled += text[i++];
    } else {
      const std::size_t end = text.find('}', i);
      const std::string_view slot = text.substr(i + 1, end - i - 1);
      if (slot == "expert") filled += expert.name;
      if (slot == "category") filled += category;
      if (slot == "probability" && evidence != nullptr && !evidence->probabilities.empty()) {
        filled += std::to_string(std::lround(evidence->probabilities[evidence->likeliest] * 100.0F));
      }
      i = end;
    }
  }
  return filled;
}

}  // namespace

ZeroCostReply ReplyOf(const config::Expert& expert, const policies::Evidence* evidence, std::string_view category,
                      std::string_view copied) {
  const config::ZeroCostBackend& reply = *expert.zero_cost();
  switch (reply.kind) {
    case config::ZeroCost::kRefuse: return {reply.text, v1::FINISH_REASON_FILTERED};
    case config::ZeroCost::kCanned: return {Fill(reply.text, expert, evidence, category)};
    case config::ZeroCost::kCopy: return {std::string(copied)};
    case config::ZeroCost::kNull: break;
  }
  return {};
}

}  // namespace pointsman::pipeline
