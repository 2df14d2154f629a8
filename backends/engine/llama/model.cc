#include "backends/engine/llama/model.h"

#include <llama.h>

#include <algorithm>

namespace pointsman::engine {

Error PromptTooLong(const std::string& tokens, std::size_t context) {
  Error error(ErrorClass::kRetryElsewhere, Code::kInvalidArgument,
              "the prompt has " + tokens + " tokens, and the model's context of " + std::to_string(context) +
                  " tokens must hold it and at least 1 token of answer");
  error.field = "messages";
  return error;
}

Result<std::unique_ptr<LoadedModel>> LoadedModel::Load(const config::Model& config, bool (*cancelled)(void*),
                                                       void* user) {
  Result<LlamaModel> model = LoadLlamaModel(config, cancelled, user);
  if (!model) return std::move(model).error();
  std::unique_ptr<LoadedModel> loaded(new LoadedModel);
  loaded->model_ = std::move(*model);
  if (auto ok = loaded->ReadVocabulary(config); !ok) return ok.error();
  return loaded;
}

LoadedModel::~LoadedModel() = default;

Result<void> LoadedModel::ReadVocabulary(const config::Model& config) {
  const int trained = llama_model_n_ctx_train(model_.get());
  if (trained > 0 && config.context > static_cast<unsigned>(trained)) {
    return LoadError(config, "a context of " + std::to_string(config.context) + " tokens a slot is more than the " +
                                 std::to_string(trained) + " that the model was trained for: lower `context`");
  }
  if (!llama_model_has_decoder(model_.get()) || llama_model_has_encoder(model_.get())) {
    return LoadError(config, config.file.string() + " is not a decoder-only language model");
  }
  if (!IsCausal(model_.get())) {
    return LoadError(config, config.file.string() + " is an encoder, it cannot answer: set `kind: encoder`");
  }
  vocab_ = llama_model_get_vocab(model_.get());
  if (llama_vocab_type(vocab_) == LLAMA_VOCAB_TYPE_NONE) {
    return LoadError(config, config.file.string() + " has no vocabulary");
  }
  pieces_.resize(static_cast<std::size_t>(llama_vocab_n_tokens(vocab_)));
  std::string buffer(256, '\0');
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    const auto token = static_cast<Token>(i);
    int length = llama_token_to_piece(vocab_, token, buffer.data(), static_cast<int>(buffer.size()), 0, false);
    if (length < 0) {
      buffer.resize(static_cast<std::size_t>(-length));
      length = llama_token_to_piece(vocab_, token, buffer.data(), static_cast<int>(buffer.size()), 0, false);
    }
    pieces_[i].assign(buffer, 0, static_cast<std::size_t>(std::max(0, length)));
    longest_piece_ = std::max(longest_piece_, pieces_[i].size());
  }

  const char* own = llama_model_chat_template(model_.get(), nullptr);
  if (config.chat_template.empty() && own == nullptr) {
    return LoadError(config, config.file.string() +
                                 " has no chat template (it may be a base model): set `chat_template` for this model");
  }
  const auto text = [&](llama_token token) {
    return token == LLAMA_TOKEN_NULL ? std::string() : std::string(llama_vocab_get_text(vocab_, token));
  };
  Result<ChatTemplate> chat = ChatTemplate::Parse(config.chat_template.empty() ? own : config.chat_template,
                                                  text(llama_vocab_bos(vocab_)), text(llama_vocab_eos(vocab_)));
  if (!chat) return LoadError(config, chat.error().message);
  chat_ = std::make_unique<ChatTemplate>(std::move(chat).value());
  return {};
}

void LoadedModel::Append(const PromptPart& part, bool add_special, std::vector<Token>& to) const {
  const auto size = static_cast<int>(part.text.size());
  const std::size_t before = to.size();
  to.resize(before + part.text.size() + 2);
  const int room = static_cast<int>(part.text.size()) + 2;
  int count = llama_tokenize(vocab_, part.text.data(), size, to.data() + before, room, add_special, part.from_template);
  if (count < 0) {  // more tokens than bytes: only by tokens that the tokenizer adds
    to.resize(before + static_cast<std::size_t>(-count));
    count = llama_tokenize(vocab_, part.text.data(), size, to.data() + before, -count, add_special, part.from_template);
  }
  to.resize(before + static_cast<std::size_t>(std::max(0, count)));
}

Result<std::vector<Token>> LoadedModel::Tokenize(const std::vector<ChatMessage>& messages, std::size_t limit) const {
  std::size_t bytes = 0;
  for (const ChatMessage& message : messages) bytes += message.content.size();
  if (bytes > limit * longest_piece_) {
    return PromptTooLong("at least " + std::to_string(bytes / longest_piece_), limit);
  }
  Result<std::vector<PromptPart>> parts = chat_->Render(messages);
  if (!parts) return parts.error();

  std::vector<Token> tokens;
  try {
    bool first = true;
    for (const PromptPart& part : *parts) {
      // The tokenizer adds the model's BOS in front, unless the template wrote it already.
      Append(part, first, tokens);
      if (first && tokens.size() >= 2 && tokens[0] == tokens[1] && tokens[0] == llama_vocab_bos(vocab_)) {
        tokens.erase(tokens.begin());
      }
      if (first && !tokens.empty() && llama_vocab_get_add_eos(vocab_) && tokens.back() == llama_vocab_eos(vocab_)) {
        tokens.pop_back();
      }
      first = false;
    }
  } catch (const std::exception& e) {
    return Error(ErrorClass::kRetryElsewhere, Code::kInvalidArgument,
                 std::string("the model's tokenizer refuses the prompt: ") + e.what());
  }
  if (tokens.empty()) {
    return Error(ErrorClass::kRetryElsewhere, Code::kInvalidArgument, "the prompt has no tokens");
  }
  if (tokens.size() + 1 > limit) return PromptTooLong(std::to_string(tokens.size()), limit);
  return tokens;
}

bool LoadedModel::IsEnd(Token token) const { return llama_vocab_is_eog(vocab_, token); }

}  // namespace pointsman::engine
