// backends/openai/json_reader.h: JSON text of an upstream into Boost.JSON values, in memory that is used again.
#pragma once

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parser.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pointsman::openai {

// One loop's parser. Not thread-safe; one value lives at a time.
class JsonReader {
 public:
  JsonReader();

  // The object that `text` is, valid until the next call; nullptr when it is not an object or no JSON at all (nesting
  // deeper than 64 and invalid UTF-8 included): problem() then says why.
  const boost::json::object* Parse(std::string_view text);
  const std::string& problem() const { return problem_; }

 private:
  unsigned char values_[8192];
  unsigned char stack_[2048];
  boost::json::monotonic_resource resource_;
  boost::json::parser parser_;
  boost::json::value value_;
  std::string problem_;
};

// Members of an object, leniently: nothing or nullptr when the member is missing, null or of another type.
const boost::json::object* Object(const boost::json::object& in, std::string_view name);
const boost::json::array* Array(const boost::json::object& in, std::string_view name);
std::optional<std::string_view> Text(const boost::json::object& in, std::string_view name);
std::optional<double> Number(const boost::json::object& in, std::string_view name);
// A whole number, cut to what 32 bits hold.
std::optional<std::uint32_t> Count(const boost::json::object& in, std::string_view name);

// `text` fit for a message: at most `max` bytes of valid UTF-8, control characters and runs of blanks made one blank.
std::string Printable(std::string_view text, std::size_t max);

}  // namespace pointsman::openai
