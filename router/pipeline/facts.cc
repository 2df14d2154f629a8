#include "router/pipeline/facts.h"

#include <algorithm>
#include <array>

namespace pointsman::pipeline {

policies::RequestFacts FactsOf(const v1::CompleteRequest& request) {
  policies::RequestFacts facts;
  std::size_t bytes = 0;
  for (const v1::Message& message : request.messages()) {
    for (const v1::Part& part : message.parts()) {
      if (part.has_image()) facts.needs |= config::kImages;
      bytes += part.text().size();
    }
    for (const v1::ToolCall& call : message.tool_calls()) bytes += call.arguments().size();
    if (!message.tool_calls().empty() || message.role() == v1::ROLE_TOOL) facts.needs |= config::kTools;
  }
  for (const v1::Tool& tool : request.tools()) bytes += tool.description().size() + tool.parameters().size();
  if (!request.tools().empty() && request.tool_choice() != "none") facts.needs |= config::kTools;
  const v1::ResponseFormat& format = request.response_format();
  if (format.has_json_schema() || format.json_object()) facts.needs |= config::kJsonSchema;
  if (format.has_grammar()) facts.needs |= config::kGrammar;
  if (request.logprobs()) facts.needs |= config::kLogprobs;
  facts.prompt_tokens = policies::EstimateTokens(bytes);
  if (request.sampling().has_max_tokens()) facts.max_tokens = request.sampling().max_tokens();

  const v1::Routing& routing = request.routing();
  facts.expert = routing.expert();
  facts.deny.assign(routing.deny().begin(), routing.deny().end());
  facts.require.assign(routing.require().begin(), routing.require().end());
  for (const auto& [name, boost] : routing.boost()) facts.boost.emplace_back(name, boost);
  std::sort(facts.boost.begin(), facts.boost.end());  // a map has no order of its own
  if (routing.has_max_cost_usd()) facts.max_cost_usd = routing.max_cost_usd();
  if (routing.has_max_latency_ms()) facts.max_latency_ms = routing.max_latency_ms();
  return facts;
}

std::string_view TextOf(const v1::Message& message, std::string& storage) {
  if (message.parts_size() == 1) return message.parts(0).text();
  const std::size_t begin = storage.size();
  for (const v1::Part& part : message.parts()) {
    if (!part.has_text()) continue;
    if (storage.size() > begin) storage += '\n';
    storage += part.text();
  }
  return std::string_view(storage).substr(begin);
}

std::string_view QuestionOf(const v1::CompleteRequest& request, std::string& storage) {
  for (int i = request.messages_size() - 1; i >= 0; --i) {
    if (request.messages(i).role() != v1::ROLE_USER) continue;
    storage.clear();
    return TextOf(request.messages(i), storage);
  }
  return {};
}

ConversationTexts::ConversationTexts(const v1::CompleteRequest& request) {
  // Earlier turns of the user from the latest to the oldest that counts.
  std::array<const v1::Message*, kEarlierTurns> earlier{};
  int turns = 0;
  const v1::Message* last = nullptr;
  const v1::Message* system = nullptr;
  for (int i = request.messages_size() - 1; i >= 0; --i) {
    const v1::Message& message = request.messages(i);
    if (message.role() == v1::ROLE_SYSTEM) system = &message;
    if (message.role() != v1::ROLE_USER) continue;
    if (last == nullptr) {
      last = &message;
    } else if (turns < kEarlierTurns) {
      earlier[static_cast<std::size_t>(turns++)] = &message;
    }
  }
  if (last != nullptr) conversation_.last = TextOf(*last, last_);
  if (system != nullptr) conversation_.system = TextOf(*system, system_);
  if (turns == 1) {
    conversation_.history = TextOf(*earlier[0], history_);
  } else if (turns > 1) {
    std::string part;
    while (turns > 0) {
      part.clear();
      if (!history_.empty()) history_ += '\n';
      history_ += TextOf(*earlier[static_cast<std::size_t>(--turns)], part);
    }
    conversation_.history = history_;
  }
}

}  // namespace pointsman::pipeline
