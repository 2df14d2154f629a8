// cmake/llama/strings.cc: the three string helpers that llama.cpp's template and schema code takes from its `common`
// library, so that the rest of that library (download, arguments, sampling, logging) need not be built.
#include "common.h"

std::string string_join(const std::vector<std::string>& values, const std::string& separator) {
  std::string out;
  for (const std::string& value : values) {
    if (&value != &values.front()) out += separator;
    out += value;
  }
  return out;
}

std::vector<std::string> string_split(const std::string& text, const std::string& delimiter) {
  std::vector<std::string> parts;
  std::size_t from = 0;
  for (std::size_t at; (at = text.find(delimiter, from)) != std::string::npos; from = at + delimiter.size()) {
    parts.push_back(text.substr(from, at - from));
  }
  parts.push_back(text.substr(from));
  return parts;
}

std::string string_repeat(const std::string& text, std::size_t times) {
  std::string out;
  out.reserve(text.size() * times);
  for (; times > 0; --times) out += text;
  return out;
}
