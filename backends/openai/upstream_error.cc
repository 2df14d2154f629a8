#include "backends/openai/upstream_error.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <cctype>
#include <charconv>
#include <utility>

namespace pointsman::openai {
namespace {

namespace json = boost::json;

constexpr std::chrono::hours kMaxRetryAfter{1};

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

// Servers have no common code for a prompt that is too long; these are OpenAI's, llama.cpp's and their words.
bool IsContextLength(const ErrorBody& body) {
  std::string code = Lower(body.code), message = Lower(body.message);
  for (std::string_view word : {"context_length", "exceed_context", "context_window"}) {
    if (code.find(word) != std::string::npos) return true;
  }
  for (std::string_view words :
       {"context length", "context size", "context window", "maximum context", "context_length", "prompt is too long",
        "input is too long", "too many tokens", "maximum model length"}) {
    if (message.find(words) != std::string::npos) return true;
  }
  return false;
}

// A code may be a word, a number, or a number in a string.
void SetCode(const json::object& from, ErrorBody& out) {
  if (auto number = Number(from, "code")) out.status = static_cast<int>(std::clamp(*number, 0.0, 99'999.0));
  if (auto word = Text(from, "code")) {
    out.code = Printable(*word, 64);
    std::from_chars(word->data(), word->data() + word->size(), out.status);
  }
  if (auto type = Text(from, "type"); type && out.code.empty()) out.code = Printable(*type, 64);
  if (out.status < 400 || out.status > 599) out.status = 0;
}

std::string Describe(int status, const ErrorBody& body) {
  std::string text = "HTTP status " + std::to_string(status);
  return body.message.empty() ? text : text + ": " + body.message;
}

}  // namespace

ErrorBody ReadErrorObject(const json::object& body) {
  ErrorBody out;
  const json::object* inner = Object(body, "error");
  const json::object& error = inner ? *inner : body;
  SetCode(error, out);
  std::string_view message;
  if (auto text = Text(error, "message")) {
    message = *text;
  } else if (auto text = Text(body, "error")) {
    message = *text;
  } else if (auto text = Text(body, "detail")) {
    message = *text;
  } else if (const json::array* details = Array(body, "detail"); details && !details->empty()) {
    const json::object* first = details->front().if_object();
    if (first) message = Text(*first, "msg").value_or("");
  }
  out.message = Printable(message, kMaxErrorText);
  return out;
}

ErrorBody ReadErrorBody(JsonReader& reader, std::string_view body) {
  ErrorBody out;
  if (const json::object* object = reader.Parse(body)) out = ReadErrorObject(*object);
  if (out.message.empty()) out.message = Printable(body, kMaxErrorText);
  return out;
}

Error StatusError(int status, const ErrorBody& body, const std::string& key_source, std::chrono::seconds retry_after) {
  Error error(ErrorClass::kRetryElsewhere, Code::kUnavailable, Describe(status, body));
  error.upstream_status = status;
  error.retry_after = std::clamp<std::chrono::milliseconds>(retry_after, std::chrono::milliseconds(0), kMaxRetryAfter);
  switch (status) {
    case 400:
    case 413:
    case 422:
      error.code = Code::kInvalidArgument;
      // Another expert may have a longer context.
      if (!IsContextLength(body)) error.error_class = ErrorClass::kCallersFault;
      break;
    case 401:
    case 403:
      error.message = "our key was refused (" +
                      (key_source.empty() ? "none is configured" : "it comes from " + key_source) +
                      "): " + error.message;
      break;
    case 404: error.message = "no such model or URL: " + error.message; break;
    case 429: error.code = Code::kResourceExhausted; break;
    default:
      if (status >= 300 && status < 400) error.message = "redirects are not followed: " + error.message;
  }
  return error;
}

Error StreamError(const json::object& event) {
  ErrorBody body = ReadErrorObject(event);
  if (body.status != 0) return StatusError(body.status, body, "", std::chrono::seconds(0));
  Error error = Unavailable("it ended with an error: " + (body.message.empty() ? "without a text" : body.message));
  if (IsContextLength(body)) error.code = Code::kInvalidArgument;
  return error;
}

}  // namespace pointsman::openai
