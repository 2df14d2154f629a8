#include "router/offline/json_fields.h"

#include <algorithm>
#include <boost/json.hpp>

#include "config/secret.h"

namespace pointsman::offline {
namespace {

namespace json = boost::json;

constexpr std::size_t kLargestFile = std::size_t{4} << 20;

// The line of the first byte that is not JSON.
std::string WhereNotJson(const std::string& text) {
  json::stream_parser parser;
  boost::system::error_code code;
  const std::size_t read = parser.write_some(text, code);
  return std::to_string(1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(read), '\n'));
}

}  // namespace

Result<json::value> ReadJsonFile(const std::filesystem::path& file, const char* what) {
  auto text = config::ReadWholeFile(file, kLargestFile);
  if (!text) return std::move(text).error();
  boost::system::error_code code;
  json::value value = json::parse(*text, code);
  if (code) {
    return InvalidArgument(what, file.string() + ":" + WhereNotJson(*text) + ": not JSON: " + code.message());
  }
  return value;
}

std::string ReadNumber(const json::value& value, bool above, double& out) {
  if (!value.is_number()) return "is not a number";
  const double number = value.to_number<double>();
  if (number < 0 || (above && number == 0)) return above ? "is not above 0" : "is negative";
  out = number;
  return "";
}

std::string ReadNumber(const json::value& value, bool above, std::optional<double>& out) {
  double number = 0;
  std::string wrong = ReadNumber(value, above, number);
  if (wrong.empty()) out = number;
  return wrong;
}

std::string ReadText(const json::value& value, std::string& out) {
  if (!value.is_string() || value.get_string().empty()) return "is not a text";
  out = value.get_string();
  return "";
}

std::string ReadTexts(const json::value& value, std::vector<std::string>& out) {
  if (!value.is_array()) return "is not a list";
  for (const json::value& item : value.get_array()) {
    if (auto wrong = ReadText(item, out.emplace_back()); !wrong.empty()) return "has an item that " + wrong;
  }
  return "";
}

}  // namespace pointsman::offline
