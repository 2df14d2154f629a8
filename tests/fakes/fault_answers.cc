#include "tests/fakes/fault_answers.h"

#include <cstdlib>

namespace pointsman::testing {
namespace {

constexpr std::string_view kChunkHead =
    R"({"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"fault","choices":[{"index":0,)";

std::string Chunk(std::string_view rest) { return Event(std::string(kChunkHead) + std::string(rest) + "}]}"); }

constexpr std::string_view kLogprobs =
    R"("logprobs":{"content":[{"token":"Hello","logprob":-0.25,"bytes":[72,101,108,108,111],)"
    R"("top_logprobs":[{"token":"Hello","logprob":-0.25,"bytes":null},{"token":"Hi","logprob":-1.5,"bytes":null}]},)"
    R"({"token":" you","logprob":-0.5,"bytes":[32,121,111,117],"top_logprobs":[]}]})";

constexpr std::string_view kToolArguments[2] = {R"({"city":"Bern","days":2})", R"({"city":"Uri"})"};

std::string Escaped(std::string_view json) {
  std::string out;
  for (char c : json) {
    if (c == '"') out += '\\';
    out += c;
  }
  return out;
}

std::string Usage(std::int64_t completion_tokens) {
  return R"("usage":{"prompt_tokens":11,"completion_tokens":)" + std::to_string(completion_tokens) +
         R"(,"total_tokens":)" + std::to_string(11 + completion_tokens) +
         R"(,"prompt_tokens_details":{"cached_tokens":7}})";
}

std::string Whole(std::string_view message, std::string_view rest, std::string_view finish_reason,
                  std::int64_t completion_tokens) {
  return std::string(R"({"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"fault",)") +
         R"("choices":[{"index":0,"message":{"role":"assistant",)" + std::string(message) + "}," + std::string(rest) +
         R"("finish_reason":")" + std::string(finish_reason) + "\"}]," + Usage(completion_tokens) + "}";
}

}  // namespace

std::int64_t Behaviour::Number(std::string_view option, std::int64_t otherwise) const {
  auto it = options.find(option);
  return it == options.end() ? otherwise : std::strtoll(it->second.c_str(), nullptr, 10);
}

std::string Behaviour::Text(std::string_view option, std::string_view otherwise) const {
  auto it = options.find(option);
  return it == options.end() ? std::string(otherwise) : it->second;
}

Behaviour ParseBehaviour(std::string_view path) {
  Behaviour behaviour;
  if (!path.empty() && path.front() == '/') path.remove_prefix(1);
  path = path.substr(0, path.find('/'));
  std::size_t semicolon = path.find(';');
  behaviour.name = path.substr(0, semicolon);
  while (semicolon != std::string_view::npos) {
    path.remove_prefix(semicolon + 1);
    semicolon = path.find(';');
    std::string_view option = path.substr(0, semicolon);
    std::size_t equals = option.find('=');
    if (equals != std::string_view::npos) {
      behaviour.options.emplace(option.substr(0, equals), option.substr(equals + 1));
    }
  }
  return behaviour;
}

std::string ChunkText(std::int64_t i, std::int64_t bytes) {
  std::string text("w");
  text.append(std::to_string(i)).append(" ");
  if (static_cast<std::int64_t>(text.size()) < bytes) text.resize(static_cast<std::size_t>(bytes), '.');
  return text;
}

std::string Event(std::string_view json) { return "data: " + std::string(json) + "\n\n"; }

std::string TextEvent(std::string_view text) {
  return Chunk(R"("delta":{"content":")" + std::string(text) + R"("},"logprobs":null,"finish_reason":null)");
}

std::string FinishEvent(std::string_view reason) {
  return Chunk(R"("delta":{},"logprobs":null,"finish_reason":")" + std::string(reason) + "\"");
}

std::string UsageEvent(std::int64_t completion_tokens) {
  return Event(R"({"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[],)" + Usage(completion_tokens) + "}");
}

std::vector<std::string> LogprobEvents() {
  std::string both = R"("delta":{"content":"Hello you"},)" + std::string(kLogprobs) + R"(,"finish_reason":null)";
  return {Chunk(both), FinishEvent("stop"), UsageEvent(2), std::string(kDone)};
}

std::vector<std::string> ToolEvents() {
  std::vector<std::string> events;
  for (int call = 0; call < 2; ++call) {
    std::string index = R"("delta":{"tool_calls":[{"index":)" + std::to_string(call) + ",";
    events.push_back(
        Chunk(index + R"("id":"call_)" + std::to_string(call) +
              R"(","type":"function","function":{"name":"weather","arguments":""}}]},"finish_reason":null)"));
    std::string_view arguments = kToolArguments[call];
    for (std::size_t at = 0; at < arguments.size(); at += 5) {
      events.push_back(Chunk(index + R"("function":{"arguments":")" + Escaped(arguments.substr(at, 5)) +
                             R"("}}]},"finish_reason":null)"));
    }
  }
  events.push_back(FinishEvent("tool_calls"));
  events.push_back(UsageEvent(20));
  events.emplace_back(kDone);
  return events;
}

std::string WholeAnswer(std::string_view text, std::string_view finish_reason, std::int64_t completion_tokens) {
  return Whole(R"("content":")" + std::string(text) + "\"", R"("logprobs":null,)", finish_reason, completion_tokens);
}

std::string WholeLogprobs() { return Whole(R"("content":"Hello you")", std::string(kLogprobs) + ",", "stop", 2); }

std::string WholeTools() {
  std::string calls = R"("content":null,"tool_calls":[)";
  for (int call = 0; call < 2; ++call) {
    if (call > 0) calls += ",";
    calls += R"({"id":"call_)" + std::to_string(call) +
             R"(","type":"function","function":{"name":"weather","arguments":")" + Escaped(kToolArguments[call]) +
             "\"}}";
  }
  return Whole(calls + "]", "", "tool_calls", 20);
}

std::string ErrorBody(std::string_view shape, std::string_view message, std::string_view code) {
  std::string text(message);
  if (shape == "openai") {
    return R"({"error":{"message":")" + text + R"(","type":"fault","param":null,"code":")" + std::string(code) + "\"}}";
  }
  if (shape == "string") return R"({"error":")" + text + "\"}";
  if (shape == "fastapi") return R"({"detail":[{"loc":["body"],"msg":")" + text + R"(","type":"value_error"}]})";
  if (shape == "message") return R"({"object":"error","message":")" + text + R"(","code":40301})";
  if (shape == "html") return "<html><head><title>" + text + "</title></head><body><h1>" + text + "</h1></body></html>";
  if (shape == "empty") return "";
  return text;
}

std::string_view ErrorType(std::string_view shape) {
  if (shape == "html") return "text/html";
  return shape == "plain" ? "text/plain" : "application/json";
}

}  // namespace pointsman::testing
