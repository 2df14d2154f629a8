#include "backends/openai/json_writer.h"

#include <charconv>

namespace pointsman::openai {
namespace {

bool NeedsEscape(unsigned char c) { return c < 0x20 || c == '"' || c == '\\'; }

}  // namespace

void JsonWriter::Append(std::string_view utf8) {
  std::size_t from = 0;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    auto c = static_cast<unsigned char>(utf8[i]);
    if (!NeedsEscape(c)) continue;
    out_.append(utf8, from, i - from);
    from = i + 1;
    switch (c) {
      case '"': out_ += "\\\""; break;
      case '\\': out_ += "\\\\"; break;
      case '\n': out_ += "\\n"; break;
      case '\r': out_ += "\\r"; break;
      case '\t': out_ += "\\t"; break;
      default: {
        constexpr char kHex[] = "0123456789abcdef";
        (out_ += "\\u00").append({kHex[c >> 4], kHex[c & 15]});
      }
    }
  }
  out_.append(utf8, from, utf8.size() - from);
}

void JsonWriter::String(std::string_view utf8) {
  BeginString();
  Append(utf8);
  EndString();
}

void JsonWriter::Double(double finite) {
  char text[32];
  auto [end, ec] = std::to_chars(text, text + sizeof text, finite);
  Raw({text, static_cast<std::size_t>(end - text)});
}

void JsonWriter::Unsigned(std::uint64_t number) {
  char text[24];
  auto [end, ec] = std::to_chars(text, text + sizeof text, number);
  Raw({text, static_cast<std::size_t>(end - text)});
}

}  // namespace pointsman::openai
