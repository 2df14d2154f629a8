#include "backends/openai/json_reader.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/string.hpp>
#include <limits>

namespace pointsman::openai {
namespace {

namespace json = boost::json;

json::parse_options Options() {
  json::parse_options options;
  options.max_depth = 64;
  return options;
}

// Bytes of the valid UTF-8 sequence at the front of `text`, 0 when there is none.
std::size_t SequenceLength(std::string_view text) {
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned char first = byte(0);
  if (first < 0x80) return 1;
  std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  unsigned char second = byte(1);
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f)) return 0;
  if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) return 0;
  return length;
}

}  // namespace

JsonReader::JsonReader()
    : resource_(values_, sizeof values_), parser_(json::storage_ptr(), Options(), stack_, sizeof stack_) {}

const json::object* JsonReader::Parse(std::string_view text) {
  value_.~value();
  resource_.release();
  new (&value_) json::value(&resource_);
  parser_.reset(&resource_);
  boost::system::error_code ec;
  parser_.write(text.data(), text.size(), ec);
  if (ec) {
    problem_ = "not JSON (" + ec.message() + "): \"" + Printable(text, 80) + "\"";
    return nullptr;
  }
  value_ = parser_.release();
  if (value_.is_object()) return &value_.get_object();
  problem_ = "not a JSON object: \"" + Printable(text, 80) + "\"";
  return nullptr;
}

const json::object* Object(const json::object& in, std::string_view name) {
  const json::value* value = in.if_contains(name);
  return value ? value->if_object() : nullptr;
}

const json::array* Array(const json::object& in, std::string_view name) {
  const json::value* value = in.if_contains(name);
  return value ? value->if_array() : nullptr;
}

std::optional<std::string_view> Text(const json::object& in, std::string_view name) {
  const json::value* value = in.if_contains(name);
  if (!value || !value->is_string()) return std::nullopt;
  const json::string& text = value->get_string();
  return std::string_view(text.data(), text.size());
}

std::optional<double> Number(const json::object& in, std::string_view name) {
  const json::value* value = in.if_contains(name);
  if (!value) return std::nullopt;
  if (const double* number = value->if_double()) return *number;
  if (const std::int64_t* number = value->if_int64()) return static_cast<double>(*number);
  if (const std::uint64_t* number = value->if_uint64()) return static_cast<double>(*number);
  return std::nullopt;
}

std::optional<std::uint32_t> Count(const json::object& in, std::string_view name) {
  std::optional<double> number = Number(in, name);
  if (!number) return std::nullopt;
  return static_cast<std::uint32_t>(std::clamp(*number, 0.0, double{std::numeric_limits<std::uint32_t>::max()}));
}

std::string Printable(std::string_view text, std::size_t max) {
  std::string out;
  while (!text.empty() && out.size() < max) {
    std::size_t length = SequenceLength(text);
    auto first = static_cast<unsigned char>(text.front());
    if (length == 0) {
      if (out.size() + 3 > max) break;
      out += "\xef\xbf\xbd";  // U+FFFD
    } else if (first <= ' ' || first == 0x7f) {
      if (!out.empty() && out.back() != ' ') out += ' ';
    } else {
      if (out.size() + length > max) break;
      out.append(text.substr(0, length));
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

}  // namespace pointsman::openai
