// tests/fakes/fault_answers.h: the texts that the fault server sends.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pointsman::testing {

// The first part of a request's path: "/stall;chunks=3".
struct Behaviour {
  std::string name;  // "stall"
  std::map<std::string, std::string, std::less<>> options;

  std::int64_t Number(std::string_view option, std::int64_t otherwise) const;
  std::string Text(std::string_view option, std::string_view otherwise) const;
};
Behaviour ParseBehaviour(std::string_view path);

// The text of chunk `i`: "w<i> ", padded with '.' to `bytes`.
std::string ChunkText(std::int64_t i, std::int64_t bytes);

// Events of a chat completion stream, with the blank line that ends them.
std::string TextEvent(std::string_view text);
std::string FinishEvent(std::string_view reason);
std::string UsageEvent(std::int64_t completion_tokens);
std::string Event(std::string_view json);
inline constexpr std::string_view kDone = "data: [DONE]\n\n";
std::vector<std::string> LogprobEvents();
std::vector<std::string> ToolEvents();

// Whole answers.
std::string WholeAnswer(std::string_view text, std::string_view finish_reason, std::int64_t completion_tokens);
std::string WholeLogprobs();
std::string WholeTools();

// The body of an error answer, and its content type.
std::string ErrorBody(std::string_view shape, std::string_view message, std::string_view code);
std::string_view ErrorType(std::string_view shape);

}  // namespace pointsman::testing
