// backends/openai/upstream_error.h: what an OpenAI-compatible server's refusal means. The only place that decides
// (docs/remote-experts.md has the table).
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <string>
#include <string_view>

#include "backends/openai/json_reader.h"
#include "base/result.h"

namespace pointsman::openai {

inline constexpr std::size_t kMaxErrorText = 500;  // bytes of an upstream's text that are carried

// What an error answer says, whatever its shape: {"error":{"message","code","type"}}, {"error":"..."}, {"message"},
// {"detail":"..."}, {"detail":[{"msg"}]}, or plain text.
struct ErrorBody {
  std::string message;  // printable, at most kMaxErrorText bytes; may be empty
  std::string code;     // "context_length_exceeded", ...; may be empty
  int status = 0;       // an HTTP status given in the text; 0 = none
};
ErrorBody ReadErrorBody(JsonReader& reader, std::string_view body);
ErrorBody ReadErrorObject(const boost::json::object& body);

// An HTTP status other than 200, as an error of ours. `key_source` names where the key came from; "" = none was sent.
Error StatusError(int status, const ErrorBody& body, const std::string& key_source, std::chrono::seconds retry_after);

// An error object in the middle of a stream, or in an answer with status 200.
Error StreamError(const boost::json::object& event);

}  // namespace pointsman::openai
