#include "router/offline/questions.h"

#include "router/offline/table.h"

namespace pointsman::offline {

Result<std::unordered_map<std::string, std::string>> ReadQuestions(const std::filesystem::path& file,
                                                                   QuestionText kind) {
  std::unordered_map<std::string, std::string> texts;
  auto read = VisitTable(file, {"id", "question"}, [&](const TableRow& row) -> Result<void> {
    auto id = row.Text("id");
    if (!id) return std::move(id).error();
    auto text = row.Text("question");
    if (!text) return std::move(text).error();
    if (const boost::json::value* options = row.Find("options"); options && kind == QuestionText::kQuestionAndOptions) {
      if (!options->is_array()) return InvalidArgument("options", "field \"options\" is not a list");
      for (const boost::json::value& option : options->get_array()) {
        if (!option.is_string()) return InvalidArgument("options", "field \"options\" has an item that is no string");
        *text += "\n";
        *text += std::string_view(option.get_string());
      }
    }
    if (!texts.emplace(*id, *std::move(text)).second) {
      return InvalidArgument("id", "the id \"" + *id + "\" was there before");
    }
    return {};
  });
  if (!read) return std::move(read).error();
  return texts;
}

}  // namespace pointsman::offline
