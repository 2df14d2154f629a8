// router/offline/questions.h: the texts of requests, by their id.
#pragma once

#include <filesystem>
#include <string>
#include <unordered_map>

#include "base/result.h"

namespace pointsman::offline {

enum class QuestionText { kQuestion, kQuestionAndOptions };

// Reads a file of table.h with the fields id, question and, where there are any, options (a list of texts). With
// kQuestionAndOptions the text is the question and then each option on a line of its own. Errors are "file:line: what":
// a field missing or of a wrong type, an id twice.
Result<std::unordered_map<std::string, std::string>> ReadQuestions(const std::filesystem::path& file,
                                                                   QuestionText kind);

}  // namespace pointsman::offline
