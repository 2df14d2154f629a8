#include "router/offline/questions.h"

namespace pointsman::offline {

Result<std::string> QuestionOf(const TableRow& row, QuestionText kind) {
  const char* field = row.Find("question") != nullptr ? "question" : "prompt";
  const boost::json::value* question = row.Find(field);
  if (question == nullptr || question->is_null()) return std::string();
  if (!question->is_string()) {
    return InvalidArgument(field, "field \"" + std::string(field) + "\" is not a string");
  }
  std::string text(std::string_view(question->get_string()));
  const boost::json::value* options = row.Find("options");
  if (options == nullptr || kind == QuestionText::kQuestion) return text;
  if (!options->is_array()) return InvalidArgument("options", "field \"options\" is not a list");
  for (const boost::json::value& option : options->get_array()) {
    if (!option.is_string()) return InvalidArgument("options", "field \"options\" has an item that is no string");
    text += "\n";
    text += std::string_view(option.get_string());
  }
  return text;
}

Result<std::unordered_map<std::string, std::string>> ReadQuestions(const std::filesystem::path& file,
                                                                   QuestionText kind) {
  std::unordered_map<std::string, std::string> texts;
  auto read = VisitTable(file, {"id"}, [&](const TableRow& row) -> Result<void> {
    auto id = row.Text("id");
    if (!id) return std::move(id).error();
    if (auto named = row.Text(row.Find("prompt") != nullptr && row.Find("question") == nullptr ? "prompt" : "question");
        !named) {
      return std::move(named).error();
    }
    auto text = QuestionOf(row, kind);
    if (!text) return std::move(text).error();
    if (!texts.emplace(*id, *std::move(text)).second) {
      return InvalidArgument("id", "the id \"" + *id + "\" was there before");
    }
    return {};
  });
  if (!read) return std::move(read).error();
  return texts;
}

}  // namespace pointsman::offline
