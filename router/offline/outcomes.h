// router/offline/outcomes.h: which expert answered which request how well: the rows that maps are made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "router/offline/hash_range.h"
#include "router/offline/questions.h"

namespace pointsman::offline {

struct OutcomeOptions {
  std::filesystem::path file;
  std::vector<std::string> experts;             // in this order; empty = all that the file names, sorted
  std::optional<HashRange> range;               // needs `h` in every row
  bool complete = false;                        // leave out the rows that some expert did not answer
  bool answers = false;                         // keep what was answered; the matrix and the models form have it
  QuestionText text = QuestionText::kQuestion;  // of Outcome::question
};

struct Outcome {
  std::string id;  // "" when the file has none
  std::uint32_t category;
  std::string question;                   // QuestionOf() the row (questions.h); "" when the file has none
  std::vector<float> scores;              // by expert, [0, 1]; NaN = this expert was not asked
  std::vector<std::string> answers = {};  // by expert, where they were asked for; "" = none was found, or not asked
};

struct Outcomes {
  std::vector<std::string> experts;
  std::vector<std::string> categories;  // sorted; Outcome::category indexes them
  std::vector<Outcome> rows;            // in the file's order
  std::size_t incomplete = 0;           // rows that `complete` left out
};

// Reads a file of table.h in one of these forms, which its first row tells:
//   matrix  category, answer, pred:EXPERT for each expert: the score is 1 where the prediction is the answer, else 0;
//           an empty prediction = not asked, "-" = no answer found (wrong)
//   scores  category (or task), scores: {EXPERT: number in [0, 1]}
//   models  category (in every row or in none: then all are of the category "all"), models: {EXPERT: {correct: 0 | 1,
//           and pred, output or solution}}: the score is `correct`, the answer is `pred`, where "-" and null = none was
//           found, else gate::ExtractAnswer() of `output` or `solution` (a letter with `options`, else a number)
//   long    category, expert, score in [0, 1]; rows of one `id` are one request, without `id` each is its own
// A null expert is not asked. Errors are "file:line: what": a score out of range, answers where there
// are none, an expert of `experts` without a column, an unknown form, no row
// left. Memory: the rows. Blocking.
Result<Outcomes> ReadOutcomes(const OutcomeOptions& options);

}  // namespace pointsman::offline
