// router/offline/pair_rows.h: texts with what each of several answers was worth, from outcome files of several forms.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "router/offline/outcomes.h"
#include "router/offline/table.h"

namespace pointsman::offline {

// One column of scores. A row's value is the mean over those of `names` that the row has, as an entry of its object
// `scores` (a number, or a list of numbers: one a turn, of which the mean counts), else as a field NAME, else as a
// field NAME_correct.
struct ScoreColumn {
  std::string name;
  std::vector<std::string> names;
};

struct ScoredOptions {
  std::vector<std::filesystem::path> files;  // table.h
  std::vector<ScoreColumn> columns;          // a row that has none of a column's names is an error
  std::string text_field;                    // "": the first there is of prompt, question, instruction, text, turns
  std::string label_field;                   // "": the first there is of domain, task, category; a row may have none
  std::optional<HashRange> range;            // outcomes.h
};

struct ScoredRow {
  std::string text;           // of a list (of turns), its first element
  std::uint32_t label;        // kNoLabel where it has none
  std::vector<float> scores;  // one a column
};
inline constexpr std::uint32_t kNoLabel = 0xFFFFFFFF;

struct ScoredRows {
  std::vector<ScoredRow> rows;
  std::vector<std::string> labels;  // in order of appearance; a label of two files is one
  std::uint64_t contaminated = 0;   // rows left out because their field `contaminated` is not 0 or false: the text is
                                    // known to be in training data (RouteLLM leaves them out, too)
};

// Errors are "file:line: what", as VisitTable's. No row left is an error. Blocking.
Result<ScoredRows> ReadScoredRows(const ScoredOptions& options);

// A column's value in one row, and whether the row is in a range of hashes; for readers of other kinds of rows. Errors
// say what the row lacks, without its place.
Result<float> ScoreOf(const TableRow& row, const ScoreColumn& column);
Result<bool> InRange(const TableRow& row, const HashRange& range);

// The names in the first row's `scores`, sorted, or the NAMEs of its fields NAME_correct: who can be a column.
Result<std::vector<std::string>> ScoredNames(const std::filesystem::path& file);

}  // namespace pointsman::offline
