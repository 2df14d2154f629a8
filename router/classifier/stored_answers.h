// router/classifier/stored_answers.h: questions with their answers, and the one that is nearest to a request.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "router/classifier/static_embedding.h"
#include "router/classifier/stored_vectors.h"

namespace pointsman::classifier {

// Immutable; any thread.
class StoredAnswers {
 public:
  static constexpr std::size_t kMost = 100'000;

  // Reads JSON lines {"question": ..., "answer": ...}, both texts that are not blank, 1 to kMost of them. Errors are
  // "file:line: what". `classifier_artifact` has the token vectors. Blocking.
  static Result<std::shared_ptr<const StoredAnswers>> Load(const std::filesystem::path& file,
                                                           const std::filesystem::path& classifier_artifact);

  StoredAnswers(std::shared_ptr<const StaticEmbedding> embedding, std::vector<std::string> questions,
                std::vector<std::string> answers);

  struct Nearest {
    float similarity = -1;              // cosine, [-1, 1]; -1 for a text without a known token
    std::string_view question, answer;  // into this object
  };
  // An exact scan. The vectors read at most 8 KiB of a text, and a longer text is like none: two long texts that differ
  // in the middle only would be equal to it.
  Nearest Find(std::string_view text) const;

  std::size_t size() const { return answers_.size(); }

 private:
  std::shared_ptr<const StaticEmbedding> embedding_;
  StoredVectors vectors_;
  std::vector<std::string> questions_, answers_;
};

}  // namespace pointsman::classifier
