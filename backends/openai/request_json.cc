#include "backends/openai/request_json.h"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "backends/backend.h"
#include "backends/openai/json_writer.h"

namespace pointsman::openai {
namespace {

namespace json = boost::json;

const char* RoleName(v1::Role role) {
  switch (role) {
    case v1::ROLE_SYSTEM: return "system";
    case v1::ROLE_ASSISTANT: return "assistant";
    case v1::ROLE_TOOL: return "tool";
    default: return "user";
  }
}

// What is wrong with the text of a JSON object; nothing when it is one.
std::optional<std::string> ObjectProblem(const std::string& text) {
  unsigned char memory[4096];
  json::monotonic_resource resource(memory, sizeof memory);
  boost::system::error_code ec;
  json::parse_options options;
  options.max_depth = 64;
  json::value value = json::parse(text, ec, &resource, options);
  if (ec) return "is not JSON: " + ec.message();
  if (!value.is_object()) return "is not a JSON object";
  return std::nullopt;
}

class Builder {
 public:
  explicit Builder(std::string& out) : w_(out) {}

  std::optional<Error> Build(const v1::CompleteRequest& request, const config::Expert& expert,
                             const config::OpenAiBackend& backend, bool stream) {
    w_.Open('{');
    w_.Key("model");
    w_.String(backend.model);
    Messages(request, expert.system);
    Sampling(backends::EffectiveSampling(request.sampling(), expert.sampling), backend);
    Tools(request);
    Format(request.response_format());
    if (request.logprobs()) {
      w_.Key("logprobs");
      w_.Bool(true);
      if (request.has_top_logprobs()) Number("top_logprobs", request.top_logprobs());
    }
    if (!request.routing().user_id().empty()) {
      w_.Key("user");
      w_.String(request.routing().user_id());
    }
    if (stream) {
      w_.Key("stream");
      w_.Bool(true);
      w_.Key("stream_options");
      w_.Raw(R"({"include_usage":true})");
    }
    w_.Close('}');
    return std::move(error_);
  }

 private:
  void Messages(const v1::CompleteRequest& request, const std::string& system) {
    bool has_system = false;
    for (const v1::Message& message : request.messages()) has_system |= message.role() == v1::ROLE_SYSTEM;
    w_.Key("messages");
    w_.Open('[');
    if (!has_system && !system.empty()) {
      w_.Open('{');
      w_.Key("role");
      w_.String("system");
      w_.Key("content");
      w_.String(system);
      w_.Close('}');
    }
    for (const v1::Message& message : request.messages()) OneMessage(message);
    w_.Close(']');
  }

  void OneMessage(const v1::Message& message) {
    w_.Open('{');
    w_.Key("role");
    w_.String(RoleName(message.role()));
    w_.Key("content");
    Content(message);
    if (!message.name().empty()) {
      w_.Key("name");
      w_.String(message.name());
    }
    if (!message.tool_call_id().empty()) {
      w_.Key("tool_call_id");
      w_.String(message.tool_call_id());
    }
    if (!message.tool_calls().empty()) {
      w_.Key("tool_calls");
      w_.Open('[');
      for (const v1::ToolCall& call : message.tool_calls()) OneCall(call);
      w_.Close(']');
    }
    w_.Close('}');
  }

  // Text alone is one string: every server takes that, while some know no content parts.
  void Content(const v1::Message& message) {
    bool text_only = true;
    for (const v1::Part& part : message.parts()) text_only &= !part.has_image();
    if (message.parts().empty() && !message.tool_calls().empty()) {
      w_.Null();
    } else if (text_only) {
      w_.BeginString();
      for (const v1::Part& part : message.parts()) w_.Append(part.text());
      w_.EndString();
    } else {
      w_.Open('[');
      for (const v1::Part& part : message.parts()) OnePart(part);
      w_.Close(']');
    }
  }

  void OnePart(const v1::Part& part) {
    w_.Open('{');
    w_.Key("type");
    if (part.has_image()) {
      w_.String("image_url");
      w_.Key("image_url");
      w_.Open('{');
      w_.Key("url");
      w_.String(part.image().url());
      if (!part.image().detail().empty()) {
        w_.Key("detail");
        w_.String(part.image().detail());
      }
      w_.Close('}');
    } else {
      w_.String("text");
      w_.Key("text");
      w_.String(part.text());
    }
    w_.Close('}');
  }

  void OneCall(const v1::ToolCall& call) {
    w_.Open('{');
    w_.Key("id");
    w_.String(call.id());
    w_.Key("type");
    w_.String("function");
    w_.Key("function");
    w_.Open('{');
    w_.Key("name");
    w_.String(call.name());
    w_.Key("arguments");
    w_.String(call.arguments());
    w_.Close('}');
    w_.Close('}');
  }

  void Sampling(const v1::Sampling& s, const config::OpenAiBackend& backend) {
    if (s.has_temperature()) Number("temperature", s.temperature());
    if (s.has_top_p()) Number("top_p", s.top_p());
    if (s.has_top_k()) Number("top_k", s.top_k());
    if (s.has_min_p()) Number("min_p", s.min_p());
    if (s.has_max_tokens()) Number(backend.max_tokens_field, s.max_tokens());
    if (s.has_frequency_penalty()) Number("frequency_penalty", s.frequency_penalty());
    if (s.has_presence_penalty()) Number("presence_penalty", s.presence_penalty());
    if (s.has_repeat_penalty()) {
      Number("repetition_penalty", s.repeat_penalty());
      Number("repeat_penalty", s.repeat_penalty());
    }
    if (s.has_seed()) Number("seed", s.seed() & std::numeric_limits<std::int64_t>::max());
    if (!s.stop().empty()) {
      w_.Key("stop");
      w_.Open('[');
      for (const std::string& stop : s.stop()) w_.String(stop);
      w_.Close(']');
    }
  }

  void Tools(const v1::CompleteRequest& request) {
    if (!request.tools().empty()) {
      w_.Key("tools");
      w_.Open('[');
      for (int i = 0; i < request.tools_size(); ++i) OneTool(request.tools(i), i);
      w_.Close(']');
    }
    const std::string& choice = request.tool_choice();
    if (choice.empty()) return;
    w_.Key("tool_choice");
    if (choice == "auto" || choice == "none" || choice == "required") {
      w_.String(choice);
      return;
    }
    w_.Open('{');
    w_.Key("type");
    w_.String("function");
    w_.Key("function");
    w_.Open('{');
    w_.Key("name");
    w_.String(choice);
    w_.Close('}');
    w_.Close('}');
  }

  void OneTool(const v1::Tool& tool, int index) {
    w_.Open('{');
    w_.Key("type");
    w_.String("function");
    w_.Key("function");
    w_.Open('{');
    w_.Key("name");
    w_.String(tool.name());
    if (!tool.description().empty()) {
      w_.Key("description");
      w_.String(tool.description());
    }
    w_.Key("parameters");
    if (tool.parameters().empty()) {
      w_.Raw(R"({"type":"object","properties":{}})");
    } else {
      Object(tool.parameters(), "tools[" + std::to_string(index) + "].parameters");
    }
    w_.Close('}');
    w_.Close('}');
  }

  void Format(const v1::ResponseFormat& format) {
    if (format.has_json_schema()) {
      w_.Key("response_format");
      w_.Open('{');
      w_.Key("type");
      w_.String("json_schema");
      w_.Key("json_schema");
      w_.Open('{');
      w_.Key("name");
      w_.String("answer");
      w_.Key("strict");
      w_.Bool(true);
      w_.Key("schema");
      Object(format.json_schema(), "response_format.json_schema");
      w_.Close('}');
      w_.Close('}');
    } else if (format.json_object()) {
      w_.Key("response_format");
      w_.Raw(R"({"type":"json_object"})");
    } else if (format.has_grammar()) {
      w_.Key("grammar");
      w_.String(format.grammar());
    }
  }

  void Object(const std::string& text, std::string field) {
    if (std::optional<std::string> problem = ObjectProblem(text)) {
      if (!error_) error_ = InvalidArgument(field, field + " " + *problem);
      return;
    }
    w_.Raw(text);
  }

  void Number(std::string_view name, double value) {
    if (!std::isfinite(value)) {
      std::string field = "sampling." + std::string(name);
      if (!error_) error_ = InvalidArgument(field, field + " is not a finite number");
      return;
    }
    w_.Key(name);
    w_.Double(value);
  }
  void Number(std::string_view name, std::uint64_t value) {
    w_.Key(name);
    w_.Unsigned(value);
  }
  void Number(std::string_view name, std::uint32_t value) { Number(name, std::uint64_t{value}); }

  JsonWriter w_;
  std::optional<Error> error_;
};

std::size_t SizeHint(const v1::CompleteRequest& request, const config::Expert& expert) {
  return request.ByteSizeLong() * 9 / 8 + expert.system.size() + 512;
}

}  // namespace

Result<std::string> RequestJson(const v1::CompleteRequest& request, const config::Expert& expert,
                                const config::OpenAiBackend& backend, bool stream) {
  std::string out;
  out.reserve(SizeHint(request, expert));
  Builder builder(out);
  if (std::optional<Error> error = builder.Build(request, expert, backend, stream)) return *std::move(error);
  return out;
}

}  // namespace pointsman::openai
