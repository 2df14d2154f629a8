// backends/engine/llama/model.h: a loaded GGUF file: weights, vocabulary, chat template.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backends/engine/llama/chat_template.h"
#include "backends/engine/llama/load_model.h"
#include "base/result.h"
#include "config/config.h"

struct llama_vocab;

namespace pointsman::engine {

// Immutable after Load; any thread.
class LoadedModel {
 public:
  // Checks the file (there, a GGUF, its SHA-256 where one is configured), loads it and parses its chat template. Takes
  // 0.1 to 1 s and more; `cancelled` is asked now and then. Every error names the file and what is wrong with it.
  static Result<std::unique_ptr<LoadedModel>> Load(const config::Model& config, bool (*cancelled)(void*), void* user);

  ~LoadedModel();
  LoadedModel(const LoadedModel&) = delete;
  LoadedModel& operator=(const LoadedModel&) = delete;

  // The prompt for these messages, as tokens. `limit` = tokens that the caller has room for: a text that is certainly
  // longer is refused without looking at all of it. Errors: kInvalidArgument with both numbers when longer than
  // `limit`.
  Result<std::vector<Token>> Tokenize(const std::vector<ChatMessage>& messages, std::size_t limit) const;

  // The bytes of a token; empty for control tokens.
  const std::string& Piece(Token token) const { return pieces_[static_cast<std::size_t>(token)]; }

  // It ends the answer.
  bool IsEnd(Token token) const;

  std::size_t vocabulary_size() const { return pieces_.size(); }
  llama_model* get() const { return model_.get(); }
  const llama_vocab* vocab() const { return vocab_; }

 private:
  LoadedModel() = default;
  Result<void> ReadVocabulary(const config::Model& config);
  void Append(const PromptPart& part, bool add_special, std::vector<Token>& to) const;

  LlamaModel model_;
  const llama_vocab* vocab_ = nullptr;
  std::unique_ptr<ChatTemplate> chat_;
  std::vector<std::string> pieces_;
  std::size_t longest_piece_ = 1;  // bytes
};

// The error for a prompt of `tokens` tokens where `context` do not hold it and one token of answer.
Error PromptTooLong(const std::string& tokens, std::size_t context);

}  // namespace pointsman::engine
