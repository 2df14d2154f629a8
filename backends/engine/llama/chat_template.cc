#include "backends/engine/llama/chat_template.h"

#include <jinja/caps.h>
#include <jinja/lexer.h>
#include <jinja/parser.h>
#include <jinja/runtime.h>

#include <utility>

namespace pointsman::engine {

struct ChatTemplate::Program {
  jinja::program program;
  std::string source, bos, eos;
  jinja::caps caps;
};

namespace {

jinja::value Text(const std::string& text, bool from_people) {
  auto value = jinja::mk_val<jinja::value_string>(text);
  if (from_people) value->val_str.mark_input();
  return value;
}

// Most templates want a string; some only know a list of typed parts.
jinja::value Content(const std::string& text, const jinja::caps& caps) {
  if (caps.supports_string_content) return Text(text, true);
  auto part = jinja::mk_val<jinja::value_object>();
  part->insert("type", Text("text", false));
  part->insert("text", Text(text, true));
  auto parts = jinja::mk_val<jinja::value_array>();
  parts->push_back(part);
  return parts;
}

}  // namespace

ChatTemplate::ChatTemplate(std::unique_ptr<Program> program) : program_(std::move(program)) {}
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;
ChatTemplate::~ChatTemplate() = default;

Result<ChatTemplate> ChatTemplate::Parse(const std::string& source, std::string bos, std::string eos) {
  try {
    jinja::lexer lexer;
    auto program = std::make_unique<Program>();
    const jinja::lexer_result tokens = lexer.tokenize(source);
    program->program = jinja::parse_from_tokens(tokens);
    program->source = tokens.source;
    program->bos = std::move(bos);
    program->eos = std::move(eos);
    program->caps = jinja::caps_get(program->program);
    return ChatTemplate(std::move(program));
  } catch (const std::exception& e) {
    return Error(ErrorClass::kCallersFault, Code::kFailedPrecondition,
                 std::string("the chat template cannot be parsed: ") + e.what());
  }
}

Result<std::vector<PromptPart>> ChatTemplate::Render(const std::vector<ChatMessage>& messages) const {
  try {
    auto list = jinja::mk_val<jinja::value_array>();
    std::string system;  // for templates that refuse the role: goes in front of the next message
    for (const ChatMessage& message : messages) {
      std::string content = message.content;
      if (message.role == "system" && !program_->caps.supports_system_role) {
        system += content + "\n\n";
        continue;
      }
      if (!system.empty()) content = std::exchange(system, {}) + content;
      auto object = jinja::mk_val<jinja::value_object>();
      object->insert("role", Text(std::string(message.role), false));
      object->insert("content", Content(content, program_->caps));
      list->push_back(object);
    }

    jinja::context context(program_->source);
    context.set_val("messages", list);
    context.set_val("bos_token", Text(program_->bos, false));
    context.set_val("eos_token", Text(program_->eos, false));
    context.set_val("add_generation_prompt", jinja::mk_val<jinja::value_bool>(true));
    context.set_val("enable_thinking", jinja::mk_val<jinja::value_bool>(false));

    jinja::runtime runtime(context);
    const jinja::value results = runtime.execute(program_->program);
    const auto parts = jinja::runtime::gather_string_parts(results);
    std::vector<PromptPart> prompt;
    for (const auto& part : parts->val_str.parts) {
      if (!part.val.empty()) prompt.push_back({part.val, !part.is_input});
    }
    return prompt;
  } catch (const std::exception& e) {
    return Error(ErrorClass::kRetryElsewhere, Code::kInvalidArgument,
                 std::string("the model's chat template refuses these messages: ") + e.what());
  }
}

}  // namespace pointsman::engine
