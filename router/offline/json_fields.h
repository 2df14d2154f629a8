// router/offline/json_fields.h: fields of small JSON files that people write, checked.
#pragma once

#include <boost/json/value.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace pointsman::offline {

// Reads a JSON file of at most 4 MiB. Errors, of the field `what`, name the file, and the line of what is not JSON.
Result<boost::json::value> ReadJsonFile(const std::filesystem::path& file, const char* what);

// Each sets `out` and returns "", or says what is wrong with the value: "is not a number".
// A number in [0, ...), without 0 itself when `above`.
std::string ReadNumber(const boost::json::value& value, bool above, double& out);
std::string ReadNumber(const boost::json::value& value, bool above, std::optional<double>& out);
std::string ReadText(const boost::json::value& value, std::string& out);  // not empty
std::string ReadTexts(const boost::json::value& value, std::vector<std::string>& out);

}  // namespace pointsman::offline
