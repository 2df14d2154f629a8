// router/offline/rows.h: labelled rows from JSON lines, plain or gzip, read one line at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "router/offline/hash_range.h"

namespace pointsman::offline {

struct RowOptions {
  std::vector<std::filesystem::path> files;
  std::string text_field = "text", label_field = "label";  // without a label field every row has the label ""
  std::string source_field;                                // "" = rows have no source
  std::string history_field, system_field;                 // "" = rows have none; a row may lack them
  bool source_optional = false;                            // a row without that field is of the source ""
  std::map<std::string, std::string> rename;               // label -> label
  std::set<std::string> drop_labels;                       // as in the file, before renaming
  std::set<std::string> drop_sources;
  std::string where_field,
      where_value;                     // only the rows whose field has that value; "" = all. A row must have the field
  std::optional<HashRange> range;      // only the rows whose field `h` is in it
  std::set<std::string> known_labels;  // after renaming; others are bad rows; empty = all are known
  bool two_labels = false;             // one text may have several labels (it is then as many rows)
  bool skip_bad = false;               // leave bad rows out and count them, instead of failing
};

struct Row {
  std::string text;
  std::uint32_t label;
  std::uint32_t source;
  std::string history = {}, system = {};  // of the conversation whose last turn `text` is
};

struct Rows {
  std::vector<Row> rows;
  std::vector<std::string> labels;   // sorted; Row::label indexes them
  std::vector<std::string> sources;  // in order of appearance; Row::source indexes them; one "" without source_field
  std::uint64_t dropped = 0;         // by drop_labels, drop_sources, where and range
  std::uint64_t duplicates = 0;      // same text, same label: one is kept
  std::uint64_t bad = 0;             // with skip_bad
  std::vector<std::string> bad_examples;  // the first 10 messages
};

// Reads all files. Bad rows (not JSON, a field missing or empty or not a string, a text over 1 MiB, an unknown label, a
// text seen before with another label) are an error that lists the first ten as "file:line: what". A file that cannot
// be decoded, or a line longer than 16 MiB, is an error at once. `progress` gets the share of the bytes read.
Result<Rows> ReadRows(const RowOptions& options, const std::function<void(double)>& progress);

}  // namespace pointsman::offline
