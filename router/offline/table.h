// router/offline/table.h: outcome files as they are: JSON lines or CSV, plain or gzip, as rows of named fields.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pointsman::offline {

// One row. Of a CSV file every field is a string; of JSON lines a field keeps its type, nested objects too.
struct TableRow {
  const boost::json::object& fields;  // valid while the row is visited
  std::uint64_t line;                 // in the file, from 1; that of its first byte where a CSV row spans several

  // The field, or nullptr.
  const boost::json::value* Find(std::string_view name) const { return fields.if_contains(name); }
  // A string that is not blank. Errors say which field is missing, blank or no string.
  Result<std::string> Text(std::string_view name) const;
  // A finite number; in CSV (and in a JSON string) its text, true/false are 1/0. Errors as above.
  Result<double> Number(std::string_view name) const;
  // A nested object, as in {"scores": {"expert": 0.5}}. Valid as `fields` is.
  Result<const boost::json::object*> Object(std::string_view name) const;
};

// Visits the rows of `file` in their order. Its name says what it holds: *.csv or *.jsonl, both also with .gz after it.
// CSV: a line of column names, then rows of as many fields (RFC 4180: quoted fields may hold commas, line ends and
// doubled quotes). Blank lines are passed over. At most kMaxLineBytes (lines.h) of a row are held in memory.
//
// Errors are "file:line: what": a damaged or cut gzip file, a line that is not JSON or not an object, a column of
// `required` that is missing, a CSV row with too few or too many fields, a line too long, an error that `visit`
// returned (its message gets the place in front); "file: what" where the file cannot be opened or has no row.
// Blocking, the calling thread.
Result<void> VisitTable(const std::filesystem::path& file, const std::vector<std::string>& required,
                        const std::function<Result<void>(const TableRow&)>& visit);

}  // namespace pointsman::offline
