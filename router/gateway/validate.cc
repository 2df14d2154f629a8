#include "router/gateway/validate.h"

#include <boost/json.hpp>
#include <cmath>
#include <set>
#include <string>

namespace pointsman::gateway {
namespace {

constexpr std::size_t kMaxViolations = 20;
constexpr int kMaxMessages = 1024, kMaxTools = 128, kMaxStops = 16, kMaxTags = 16;
constexpr double kMaxBoost = 1000;
constexpr std::size_t kMaxStop = 256, kMaxId = 256, kMaxTag = 64, kMaxSchema = 64 * 1024;

class Checker {
 public:
  std::vector<FieldViolation> violations;

  void Wrong(std::string field, std::string description) {
    if (violations.size() < kMaxViolations) violations.push_back({std::move(field), std::move(description)});
  }

  void Range(bool present, double value, double low, double high, bool open_low, const char* field) {
    if (!present) return;
    bool ok = std::isfinite(value) && (open_low ? value > low : value >= low) && value <= high;
    if (ok) return;
    Wrong(std::string("sampling.") + field,
          Number(value) + " is out of range " + (open_low ? "(" : "[") + Number(low) + ", " + Number(high) + "]");
  }

  void Length(const std::string& text, std::size_t limit, const std::string& field) {
    if (text.size() > limit) Wrong(field, "longer than " + std::to_string(limit) + " bytes");
  }

  // A JSON object in a string field.
  void JsonObject(const std::string& text, const std::string& field) {
    if (text.size() > kMaxSchema) return Wrong(field, "longer than " + std::to_string(kMaxSchema) + " bytes");
    boost::system::error_code error;
    boost::json::value value = boost::json::parse(text, error);
    if (error) {
      Wrong(field, "is not JSON: " + error.message());
    } else if (!value.is_object()) {
      Wrong(field, "must be a JSON object");
    }
  }

  static std::string Number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%g", value);
    return text;
  }
};

bool IsToolName(const std::string& name) {
  if (name.empty() || name.size() > 64) return false;
  return name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") ==
         std::string::npos;
}

void CheckMessage(Checker& check, const v1::Message& message, const std::string& at, std::set<std::string>& calls) {
  if (message.role() == v1::ROLE_UNSPECIFIED || !v1::Role_IsValid(message.role())) {
    check.Wrong(at + ".role", "must be system, user, assistant or tool");
  }
  bool assistant = message.role() == v1::ROLE_ASSISTANT;
  if (message.parts().empty() && !(assistant && !message.tool_calls().empty())) {
    check.Wrong(at + ".parts", "empty: a message needs at least one part");
  }
  for (int p = 0; p < message.parts_size(); ++p) {
    const v1::Part& part = message.parts(p);
    if (part.kind_case() == v1::Part::KIND_NOT_SET) {
      check.Wrong(at + ".parts[" + std::to_string(p) + "]", "neither text nor image");
    } else if (part.has_image()) {
      std::string field = at + ".parts[" + std::to_string(p) + "].image.url";
      const std::string& url = part.image().url();
      if (!url.starts_with("https://") && !url.starts_with("http://") && !url.starts_with("data:")) {
        check.Wrong(field, "must be an https:, http: or data: URL");
      }
      if (message.role() != v1::ROLE_USER) check.Wrong(field, "only user messages may hold images");
    }
  }
  if (!message.tool_calls().empty() && !assistant)
    check.Wrong(at + ".tool_calls", "only assistant messages call tools");
  for (int c = 0; c < message.tool_calls_size(); ++c) {
    const v1::ToolCall& call = message.tool_calls(c);
    std::string field = at + ".tool_calls[" + std::to_string(c) + "]";
    if (call.id().empty()) check.Wrong(field + ".id", "empty");
    if (!IsToolName(call.name())) check.Wrong(field + ".name", "must be 1 to 64 letters, digits, '_' or '-'");
    calls.insert(call.id());
  }
  if (message.role() == v1::ROLE_TOOL) {
    if (message.tool_call_id().empty()) {
      check.Wrong(at + ".tool_call_id", "empty: say which tool call this answers");
    } else if (!calls.contains(message.tool_call_id())) {
      check.Wrong(at + ".tool_call_id", "no earlier message calls a tool with this id");
    }
  } else if (!message.tool_call_id().empty()) {
    check.Wrong(at + ".tool_call_id", "only tool messages answer a tool call");
  }
}

void CheckSampling(Checker& check, const v1::Sampling& s) {
  check.Range(s.has_temperature(), s.temperature(), 0, 2, false, "temperature");
  check.Range(s.has_top_p(), s.top_p(), 0, 1, true, "top_p");
  check.Range(s.has_min_p(), s.min_p(), 0, 1, false, "min_p");
  check.Range(s.has_frequency_penalty(), s.frequency_penalty(), -2, 2, false, "frequency_penalty");
  check.Range(s.has_presence_penalty(), s.presence_penalty(), -2, 2, false, "presence_penalty");
  check.Range(s.has_repeat_penalty(), s.repeat_penalty(), 0, 2, true, "repeat_penalty");
  if (s.has_max_tokens() && s.max_tokens() == 0) check.Wrong("sampling.max_tokens", "must be at least 1");
  if (s.stop_size() > kMaxStops) check.Wrong("sampling.stop", "more than 16 strings");
  for (int i = 0; i < s.stop_size(); ++i) {
    if (s.stop(i).empty() || s.stop(i).size() > kMaxStop) {
      check.Wrong("sampling.stop[" + std::to_string(i) + "]", "must have 1 to 256 bytes");
    }
  }
}

void CheckTools(Checker& check, const v1::CompleteRequest& request) {
  std::set<std::string> names;
  if (request.tools_size() > kMaxTools) check.Wrong("tools", "more than 128");
  for (int i = 0; i < request.tools_size(); ++i) {
    const v1::Tool& tool = request.tools(i);
    std::string at = "tools[" + std::to_string(i) + "]";
    if (!IsToolName(tool.name())) check.Wrong(at + ".name", "must be 1 to 64 letters, digits, '_' or '-'");
    if (!names.insert(tool.name()).second) check.Wrong(at + ".name", "a second tool named '" + tool.name() + "'");
    if (!tool.parameters().empty()) check.JsonObject(tool.parameters(), at + ".parameters");
  }
  const std::string& choice = request.tool_choice();
  if (choice.empty() || choice == "none" || choice == "auto") return;
  if (request.tools().empty()) {
    check.Wrong("tool_choice", "'" + choice + "' needs tools");
  } else if (choice != "required" && !names.contains(choice)) {
    check.Wrong("tool_choice", "'" + choice + "' is neither auto, none, required nor one of the tools");
  }
}

void CheckRouting(Checker& check, const v1::Routing& routing) {
  if (!routing.policy().empty() && !routing.expert().empty()) {
    check.Wrong("routing.expert", "excludes routing.policy: a pinned expert is not routed");
  }
  check.Length(routing.session_id(), kMaxId, "routing.session_id");
  check.Length(routing.user_id(), kMaxId, "routing.user_id");
  if (routing.tags_size() > kMaxTags) check.Wrong("routing.tags", "more than 16");
  if (routing.boost_size() > kMaxTags) check.Wrong("routing.boost", "more than 16");
  for (const auto& [expert, boost] : routing.boost()) {
    if (!(std::abs(boost) <= kMaxBoost)) {
      check.Wrong("routing.boost[" + expert.substr(0, kMaxTag) + "]",
                  Checker::Number(boost) + " is not in [-1000, 1000]");
    }
  }
  for (const auto& [key, value] : routing.tags()) {
    if (key.empty() || key.size() > kMaxTag || value.size() > kMaxTag) {
      check.Wrong("routing.tags[" + key.substr(0, kMaxTag) + "]", "keys need 1 to 64 bytes, values at most 64");
    }
  }
  if (routing.has_max_cost_usd() && !(routing.max_cost_usd() > 0 && std::isfinite(routing.max_cost_usd()))) {
    check.Wrong("routing.max_cost_usd", "must be above 0");
  }
  if (routing.has_max_latency_ms() && routing.max_latency_ms() == 0)
    check.Wrong("routing.max_latency_ms", "must be above 0");
}

}  // namespace

std::vector<FieldViolation> Validate(const v1::CompleteRequest& request) {
  Checker check;
  if (request.messages().empty()) check.Wrong("messages", "empty: at least one message is needed");
  if (request.messages_size() > kMaxMessages) {
    check.Wrong("messages", "more than 1024");
    return std::move(check.violations);
  }
  std::set<std::string> calls;
  for (int i = 0; i < request.messages_size(); ++i) {
    CheckMessage(check, request.messages(i), "messages[" + std::to_string(i) + "]", calls);
  }
  if (!request.messages().empty()) {
    v1::Role last = request.messages(request.messages_size() - 1).role();
    if (last == v1::ROLE_SYSTEM || last == v1::ROLE_ASSISTANT) {
      check.Wrong("messages[" + std::to_string(request.messages_size() - 1) + "].role",
                  "the last message must be the user's or a tool's");
    }
  }
  CheckSampling(check, request.sampling());
  CheckTools(check, request);
  CheckRouting(check, request.routing());
  const v1::ResponseFormat& format = request.response_format();
  if (format.has_json_schema()) check.JsonObject(format.json_schema(), "response_format.json_schema");
  if (format.has_grammar() && format.grammar().empty()) check.Wrong("response_format.grammar", "empty");
  check.Length(format.grammar(), kMaxSchema, "response_format.grammar");
  if (request.has_top_logprobs()) {
    if (request.top_logprobs() > 20) check.Wrong("top_logprobs", "more than 20");
    if (!request.logprobs()) check.Wrong("top_logprobs", "needs logprobs: true");
  }
  return std::move(check.violations);
}

}  // namespace pointsman::gateway
