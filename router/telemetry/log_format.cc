// FormatHuman and FormatJson.
#include <charconv>
#include <cmath>

#include "router/telemetry/log.h"

namespace pointsman::telemetry {
namespace {

constexpr std::size_t kMostText = 16 << 10;  // bytes of all texts in a line

constexpr std::string_view kLevelNames[] = {"trace", "debug", "info", "warn", "error"};

// The length of the valid UTF-8 character that begins `text`, 0 when there is none.
std::size_t CharacterBytes(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 && first <= 0xf4  ? 4
                             : first >= 0xe0 && first < 0xf0 ? 3
                             : first >= 0xc2 && first < 0xe0 ? 2
                                                             : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and what lies above U+10FFFF.
  const unsigned second = byte(1);
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) || (first == 0xf0 && second < 0x90) ||
      (first == 0xf4 && second > 0x8f)) {
    return 0;
  }
  return length;
}

// Appends text so that it stays on its line and ends no string: JSON's escapes. At most `left` bytes of it.
void Escape(std::string& line, std::string_view text, bool quotes, std::size_t& left) {
  constexpr char kHex[] = "0123456789abcdef";
  while (!text.empty()) {
    if (left == 0) {
      line += "...";
      return;
    }
    const std::size_t bytes = CharacterBytes(text);
    const auto c = static_cast<unsigned char>(text.front());
    if (bytes == 0) {
      line += "\xef\xbf\xbd";  // U+FFFD
    } else if (c < 0x20 || c == 0x7f) {
      if (c == '\n') {
        line += "\\n";
      } else if (c == '\t') {
        line += "\\t";
      } else if (c == '\r') {
        line += "\\r";
      } else {
        line += "\\u00";
        line += kHex[c >> 4];
        line += kHex[c & 15];
      }
    } else if (quotes && (c == '"' || c == '\\')) {
      line += '\\';
      line += static_cast<char>(c);
    } else {
      line += text.substr(0, bytes);
    }
    const std::size_t taken = std::max<std::size_t>(bytes, 1);
    left -= std::min(left, taken);
    text.remove_prefix(taken);
  }
}

void AppendNumber(std::string& line, const Field::Value& value, bool json) {
  if (const bool* truth = std::get_if<bool>(&value)) {
    line += *truth ? "true" : "false";
    return;
  }
  char text[32];
  std::to_chars_result end{text, {}};
  if (const auto* number = std::get_if<std::int64_t>(&value)) end = std::to_chars(text, text + sizeof text, *number);
  if (const auto* number = std::get_if<std::uint64_t>(&value)) end = std::to_chars(text, text + sizeof text, *number);
  if (const auto* number = std::get_if<double>(&value)) {
    if (json && !std::isfinite(*number)) {
      line += "null";  // JSON has no others
      return;
    }
    end = std::to_chars(text, text + sizeof text, *number);
  }
  line.append(text, end.ptr);
}

bool NeedsQuotes(std::string_view text) {
  if (text.empty()) return true;
  for (char c : text) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == '"' || c == '=' || c == '\\' || c == 0x7f) return true;
  }
  return false;
}

}  // namespace

std::string FormatHuman(std::string_view message, std::initializer_list<Field> fields) {
  std::string line;
  std::size_t left = kMostText;
  Escape(line, message, false, left);
  for (const Field& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    if (const auto* text = std::get_if<std::string_view>(&field.value)) {
      const bool quotes = NeedsQuotes(*text);
      if (quotes) line += '"';
      Escape(line, *text, quotes, left);
      if (quotes) line += '"';
    } else {
      AppendNumber(line, field.value, false);
    }
  }
  return line;
}

std::string FormatJson(std::string_view ts, Level level, std::string_view message,
                       std::initializer_list<Field> fields) {
  std::string line = R"({"ts":")";
  std::size_t left = kMostText;
  line += ts;
  line += R"(","level":")";
  line += kLevelNames[static_cast<std::size_t>(level)];
  line += R"(","msg":")";
  Escape(line, message, true, left);
  line += '"';
  for (const Field& field : fields) {
    line += R"(,")";
    std::size_t key_left = 256;
    Escape(line, field.key, true, key_left);
    line += R"(":)";
    if (const auto* text = std::get_if<std::string_view>(&field.value)) {
      line += '"';
      Escape(line, *text, true, left);
      line += '"';
    } else {
      AppendNumber(line, field.value, true);
    }
  }
  return line + "}";
}

}  // namespace pointsman::telemetry
