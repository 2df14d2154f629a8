// backends/engine/llama/chat_template.h: the model's own Jinja chat template, with what people wrote kept apart from
// what the template wrote, so that no text of theirs can become a control token.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pointsman::engine {

// One message as templates know it.
struct ChatMessage {
  std::string_view role;  // "system", "user", "assistant" or "tool"
  std::string content;
};

// A stretch of the prompt.
struct PromptPart {
  std::string text;
  bool from_template = false;  // control tokens are recognised only in these
};

// Immutable after Parse; any thread.
class ChatTemplate {
 public:
  // `source` is Jinja; `bos` and `eos` are the texts of the model's tokens. Errors carry the position in the source.
  static Result<ChatTemplate> Parse(const std::string& source, std::string bos, std::string eos);

  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;
  ~ChatTemplate();

  // The prompt that asks for the next assistant message. An error is what the template raised about these messages.
  Result<std::vector<PromptPart>> Render(const std::vector<ChatMessage>& messages) const;

 private:
  struct Program;
  explicit ChatTemplate(std::unique_ptr<Program> program);

  std::unique_ptr<Program> program_;
};

}  // namespace pointsman::engine
