#include "router/classifier/stored_answers.h"

#include <boost/json.hpp>
#include <fstream>

#include "router/classifier/artifact.h"
#include "router/classifier/ensemble.h"
#include "router/classifier/features.h"

namespace pointsman::classifier {
namespace {

Error Bad(const std::filesystem::path& file, std::size_t line, const std::string& what) {
  return InvalidArgument("", file.string() + (line > 0 ? ":" + std::to_string(line) : std::string()) + ": " + what);
}

bool Blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

}  // namespace

Result<std::shared_ptr<const StoredAnswers>> StoredAnswers::Load(const std::filesystem::path& file,
                                                                 const std::filesystem::path& classifier_artifact) {
  auto artifact = MapArtifact(classifier_artifact);
  if (!artifact) return std::move(artifact).error();
  if (!artifact->artifact.has_embedding()) {
    return Bad(classifier_artifact, 0, "has no token vectors, which nearest answers need (train it with --embedding)");
  }
  std::ifstream in(file);
  if (!in) return Bad(file, 0, "cannot be read");
  std::vector<std::string> questions, answers;
  std::string text;
  for (std::size_t line = 1; std::getline(in, text); ++line) {
    if (Blank(text)) continue;
    boost::system::error_code error;
    const boost::json::value value = boost::json::parse(text, error);
    if (error || !value.is_object()) return Bad(file, line, "is not a JSON object");
    for (auto [key, list] : {std::pair("question", &questions), {"answer", &answers}}) {
      const boost::json::value* field = value.as_object().if_contains(key);
      if (field == nullptr || !field->is_string() || Blank(std::string_view(field->as_string()))) {
        return Bad(file, line, std::string("has no text \"") + key + "\"");
      }
      list->emplace_back(field->as_string());
    }
    if (answers.size() > kMost) return Bad(file, line, "is one answer too many (100000 at most)");
  }
  if (answers.empty()) return Bad(file, 0, "has no answers (JSON lines with question and answer)");
  auto embedding = std::make_shared<const StaticEmbedding>(artifact->artifact.embedding(), artifact->tables.vectors);
  return std::shared_ptr<const StoredAnswers>(
      std::make_shared<StoredAnswers>(std::move(embedding), std::move(questions), std::move(answers)));
}

StoredAnswers::StoredAnswers(std::shared_ptr<const StaticEmbedding> embedding, std::vector<std::string> questions,
                             std::vector<std::string> answers)
    : embedding_(std::move(embedding)),
      vectors_(embedding_->dimensions()),
      questions_(std::move(questions)),
      answers_(std::move(answers)) {
  std::vector<float> vector(embedding_->dimensions());
  for (const std::string& question : questions_) {
    EmbedText(*embedding_, question, kMaxTextBytes, vector);
    vectors_.Add(vector, 0);
  }
}

StoredAnswers::Nearest StoredAnswers::Find(std::string_view text) const {
  thread_local std::vector<float> vector;
  vector.resize(embedding_->dimensions());
  if (text.size() > kMaxTextBytes || !EmbedText(*embedding_, text, kMaxTextBytes, vector)) return {};
  const std::vector<NearVector> nearest = vectors_.Nearest(vector, 1);
  return {nearest[0].cosine, questions_[nearest[0].row], answers_[nearest[0].row]};
}

}  // namespace pointsman::classifier
