#include "backends/openai/answer_json.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <iterator>
#include <utility>

#include "backends/openai/upstream_error.h"

namespace pointsman::openai {
namespace {

namespace json = boost::json;

Error Garbage(std::string what) { return Unavailable("the answer makes no sense: " + std::move(what)); }

// The finish reasons of OpenAI, and other servers' words for them. Anything else (DeepSeek's
// "insufficient_system_resource", vLLM's "abort", "error") means that the answer is not complete.
v1::FinishReason ReadFinishReason(std::string_view reason) {
  struct Word {
    std::string_view word;
    v1::FinishReason reason;
  };
  static constexpr Word kWords[] = {
      {"stop", v1::FINISH_REASON_STOP},
      {"length", v1::FINISH_REASON_LENGTH},
      {"tool_calls", v1::FINISH_REASON_TOOL_CALLS},
      {"content_filter", v1::FINISH_REASON_FILTERED},
      {"function_call", v1::FINISH_REASON_TOOL_CALLS},
      {"eos", v1::FINISH_REASON_STOP},
      {"eos_token", v1::FINISH_REASON_STOP},
      {"end_turn", v1::FINISH_REASON_STOP},
      {"stop_sequence", v1::FINISH_REASON_STOP},
      {"max_tokens", v1::FINISH_REASON_LENGTH},
      {"model_length", v1::FINISH_REASON_LENGTH},
  };
  for (const Word& word : kWords) {
    if (word.word == reason) return word.reason;
  }
  return v1::FINISH_REASON_UNSPECIFIED;
}

bool IsPresent(const json::object& in, std::string_view name) {
  const json::value* value = in.if_contains(name);
  return value && !value->is_null();
}

}  // namespace

Result<void> AnswerReader::AddEvent(std::string_view text, backends::Chunk& chunk) {
  const json::object* event = reader_.Parse(text);
  if (!event) return Garbage(reader_.problem());
  if (IsPresent(*event, "error")) return StreamError(*event);
  AddUsage(*event);
  return AddChoices(*event, "delta", chunk);
}

Result<void> AnswerReader::AddWhole(std::string_view text, backends::Chunk& chunk) {
  const json::object* answer = reader_.Parse(text);
  if (!answer) return Garbage(reader_.problem());
  if (IsPresent(*answer, "error")) return StreamError(*answer);
  if (!Array(*answer, "choices")) return Garbage("it has no choices: \"" + Printable(text, 80) + "\"");
  AddUsage(*answer);
  return AddChoices(*answer, "message", chunk);
}

Result<void> AnswerReader::AddChoices(const json::object& answer, const char* part, backends::Chunk& chunk) {
  if (!IsPresent(answer, "choices")) return {};
  const json::array* choices = Array(answer, "choices");
  if (!choices) return Garbage("its choices are no array");
  for (const json::value& value : *choices) {
    const json::object* choice = value.if_object();
    if (!choice) return Garbage("a choice is no object");
    if (Number(*choice, "index").value_or(0) != 0) continue;
    ++events_;
    if (const json::object* content = Object(*choice, part)) {
      if (Result<void> added = AddContent(*content, chunk); !added) return added;
      if (Result<void> added = AddCalls(*content); !added) return added;
    }
    if (logprobs_) {
      if (Result<void> added = AddLogprobs(*choice, chunk); !added) return added;
    }
    if (auto reason = Text(*choice, "finish_reason"); reason && !reason->empty()) finish_reason_ = *reason;
  }
  return {};
}

Result<void> AnswerReader::AddContent(const json::object& part, backends::Chunk& chunk) {
  const json::value* content = part.if_contains("content");
  if (!content || content->is_null()) {
    if (auto refusal = Text(part, "refusal")) chunk.text.append(*refusal);
    return {};
  }
  if (const json::string* text = content->if_string()) {
    chunk.text.append(text->data(), text->size());
    return {};
  }
  const json::array* pieces = content->if_array();
  if (!pieces) return Garbage("its content is neither text nor a list");
  for (const json::value& piece : *pieces) {
    const json::object* object = piece.if_object();
    if (!object) return Garbage("a piece of its content is no object");
    if (auto text = Text(*object, "text")) chunk.text.append(*text);
  }
  return {};
}

Result<void> AnswerReader::AddLogprobs(const json::object& choice, backends::Chunk& chunk) {
  const json::object* logprobs = Object(choice, "logprobs");
  const json::array* tokens = logprobs ? Array(*logprobs, "content") : nullptr;
  if (!tokens) return {};
  for (const json::value& value : *tokens) {
    const json::object* token = value.if_object();
    std::optional<double> logprob = token ? Number(*token, "logprob") : std::nullopt;
    if (!logprob) return Garbage("a token has no log-probability");
    v1::TokenLogprob& out = chunk.logprobs.emplace_back();
    out.set_token(std::string(Text(*token, "token").value_or("")));
    out.set_logprob(*logprob);
    const json::array* top = Array(*token, "top_logprobs");
    if (!top) continue;
    for (const json::value& alternative : *top) {
      const json::object* object = alternative.if_object();
      std::optional<double> its = object ? Number(*object, "logprob") : std::nullopt;
      if (!its) return Garbage("an alternative token has no log-probability");
      v1::TopToken& one = *out.add_top();
      one.set_token(std::string(Text(*object, "token").value_or("")));
      one.set_logprob(*its);
    }
  }
  return {};
}

Result<void> AnswerReader::AddCalls(const json::object& part) {
  if (!IsPresent(part, "tool_calls")) return {};
  const json::array* calls = Array(part, "tool_calls");
  if (!calls) return Garbage("its tool calls are no list");
  std::size_t position = 0;
  for (const json::value& value : *calls) {
    const json::object* call = value.if_object();
    if (!call) return Garbage("a tool call is no object");
    if (Result<void> added = AddCall(*call, position++); !added) return added;
  }
  return {};
}

// One call or a piece of it. Pieces belong together by their index; without one, an id begins a new call.
Result<void> AnswerReader::AddCall(const json::object& call, std::size_t position) {
  std::string_view id = Text(call, "id").value_or("");
  std::optional<double> given = Number(call, "index");
  std::int64_t index = static_cast<std::int64_t>(position);
  if (given) {
    index = static_cast<std::int64_t>(*given);
  } else if (!calls_.empty()) {
    bool same = id.empty() || id == calls_.back().call.id();
    index = calls_.back().index + (same ? 0 : 1);
  }
  Call* into = nullptr;
  for (Call& known : calls_) {
    if (known.index == index) into = &known;
  }
  if (!into) {
    if (calls_.size() == kMaxCalls) return Garbage("more than " + std::to_string(kMaxCalls) + " tool calls");
    into = &calls_.emplace_back();
    into->index = index;
  }
  std::string_view name, arguments;
  json::string whole;
  if (const json::object* function = Object(call, "function")) {
    name = Text(*function, "name").value_or("");
    arguments = Text(*function, "arguments").value_or("");
    if (const json::object* object = Object(*function, "arguments")) {  // some servers send it as JSON, not as text
      whole = json::serialize(*object);
      arguments = std::string_view(whole.data(), whole.size());
    }
  }
  call_bytes_ += id.size() + name.size() + arguments.size();
  if (call_bytes_ > kMaxCallBytes) {
    return Garbage("tool calls of more than " + std::to_string(kMaxCallBytes) + " bytes");
  }
  if (into->call.id().empty()) into->call.set_id(std::string(id));
  if (into->call.name().empty()) into->call.set_name(std::string(name));
  into->call.mutable_arguments()->append(arguments);
  return {};
}

void AnswerReader::AddUsage(const json::object& answer) {
  const json::object* usage = Object(answer, "usage");
  if (!usage) return;
  v1::Usage& out = usage_.emplace();
  out.set_prompt_tokens(Count(*usage, "prompt_tokens").value_or(0));
  out.set_completion_tokens(Count(*usage, "completion_tokens").value_or(0));
  if (const json::object* details = Object(*usage, "prompt_tokens_details")) {
    out.set_cached_tokens(Count(*details, "cached_tokens").value_or(0));
  } else if (auto cached = Count(*usage, "prompt_cache_hit_tokens")) {  // DeepSeek
    out.set_cached_tokens(*cached);
  }
}

Result<void> AnswerReader::Finish(backends::Chunk& chunk) {
  if (finish_reason_.empty()) return Unavailable("it has no finish_reason");
  v1::FinishReason finish = ReadFinishReason(finish_reason_);
  if (finish == v1::FINISH_REASON_UNSPECIFIED) {
    return Unavailable("its finish_reason is \"" + Printable(finish_reason_, 64) + "\"");
  }
  // A call that the token limit cut off is a piece, and pieces are not passed on.
  if (finish == v1::FINISH_REASON_LENGTH && !calls_.empty() && !reader_.Parse(calls_.back().call.arguments())) {
    calls_.pop_back();
  }
  for (Call& gathered : calls_) {
    if (gathered.call.name().empty()) return Garbage("a tool call has no name");
    if (gathered.call.id().empty()) gathered.call.set_id("call_" + std::to_string(gathered.index));
    chunk.tool_calls.push_back(std::move(gathered.call));
  }
  // Some servers say "stop" after a call that the request had demanded by name.
  if (!chunk.tool_calls.empty() && finish == v1::FINISH_REASON_STOP) finish = v1::FINISH_REASON_TOOL_CALLS;
  calls_.clear();
  chunk.usage = std::exchange(usage_, std::nullopt);
  chunk.finish = finish;
  return {};
}

}  // namespace pointsman::openai
