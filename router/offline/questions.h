// router/offline/questions.h: the texts of requests, by their id.
#pragma once

#include <filesystem>
#include <string>
#include <unordered_map>

#include "base/result.h"
#include "router/offline/table.h"

namespace pointsman::offline {

enum class QuestionText { kQuestion, kQuestionAndOptions };

// The text of a row: its `question`, else its `prompt`; with kQuestionAndOptions then each of its `options` (a list of
// texts), where there are any, on a line of its own. "" when it has neither. Errors: a field of a wrong type.
Result<std::string> QuestionOf(const TableRow& row, QuestionText kind);

// Reads a file of table.h with the fields id, question (or prompt) and perhaps options. Errors are "file:line: what": a
// field missing or of a wrong type, an id twice.
Result<std::unordered_map<std::string, std::string>> ReadQuestions(const std::filesystem::path& file,
                                                                   QuestionText kind);

}  // namespace pointsman::offline
