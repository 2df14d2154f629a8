// backends/openai/json_writer.h: JSON text, appended to a string.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pointsman::openai {

// Appends one JSON value; commas come by themselves. The caller keeps the nesting right. Not thread-safe.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  void Open(char bracket) {  // '{' or '['
    Comma();
    out_ += bracket;
    fresh_ = true;
  }
  void Close(char bracket) {  // '}' or ']'
    out_ += bracket;
    fresh_ = false;
  }
  // A name that needs no escapes; its value follows.
  void Key(std::string_view name) {
    Comma();
    (out_ += '"').append(name).append("\":");
    fresh_ = true;
  }
  void String(std::string_view utf8);
  void Double(double finite);
  void Unsigned(std::uint64_t number);
  void Bool(bool value) { Raw(value ? "true" : "false"); }
  void Null() { Raw("null"); }
  // JSON text as it is.
  void Raw(std::string_view json) {
    Comma();
    out_.append(json);
  }
  // A string in pieces: BeginString(), any number of Append(), EndString().
  void BeginString() {
    Comma();
    out_ += '"';
  }
  void Append(std::string_view utf8);
  void EndString() { out_ += '"'; }

 private:
  void Comma() {
    if (!fresh_) out_ += ',';
    fresh_ = false;
  }

  std::string& out_;
  bool fresh_ = true;  // no comma before what comes next
};

}  // namespace pointsman::openai
