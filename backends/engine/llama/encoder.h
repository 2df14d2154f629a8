// backends/engine/llama/encoder.h: a sentence encoder (BERT): texts to vectors, several texts a step.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backends/engine/llama/load_model.h"
#include "base/result.h"
#include "config/config.h"

struct ggml_threadpool;
struct llama_batch;
struct llama_context;
struct llama_vocab;

namespace pointsman::engine {

// What the encoder reads of a text: [CLS], at most `context` - 2 tokens from the front, [SEP].
struct EncoderTokens {
  std::vector<Token> tokens;
  bool truncated = false;  // the text has more
};

class Encoder {
 public:
  // A longer text is cut before it is looked at: a bound on the tokenizer's time. Far more bytes than 512 tokens have.
  static constexpr std::size_t kMaxTextBytes = std::size_t{16} << 10;
  // Tokens of a step that are worth waiting for: the attention of a step looks at all its tokens, so twice as many
  // cost more than twice the time (docs/engine.md).
  static constexpr std::size_t kStepTokens = 256;

  // `config` is of kind encoder: at most `slots` texts of at most `context` tokens a step. `stop` aborts loading and a
  // running Encode when it becomes true. Errors (kFailedPrecondition) name the file: what LoadLlamaModel says, a model
  // that is no encoder, or has no pooling, or a shorter context.
  static Result<std::unique_ptr<Encoder>> Load(const config::Model& config, unsigned max_threads,
                                               const std::atomic<bool>& stop);
  ~Encoder();
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  // Never fails: an empty text has the two tokens of the model's own. Any thread.
  Result<EncoderTokens> Tokenize(std::string_view text) const;

  // The vocabulary as BERT writes it, by token: "law", "##ing", "[SEP]". A token that cannot be written in a line is
  // "". Any thread.
  std::vector<std::string> Vocabulary() const;
  // The text that is one token of the vocabulary: [CLS] token [SEP]. Any thread.
  EncoderTokens Single(std::size_t token) const;

  std::size_t dimension() const { return dimension_; }
  std::size_t step_tokens() const { return step_tokens_; }  // at most in one Encode
  std::size_t step_texts() const { return step_texts_; }    // likewise

  // One vector of length 1 for each text, in order. The texts are of Tokenize, together within step_tokens() and
  // step_texts(). Errors: kUnavailable (aborted), kInternal (llama.cpp's words). One thread.
  Result<std::vector<std::vector<float>>> Encode(std::span<const EncoderTokens* const> texts, unsigned threads);

 private:
  Encoder() = default;

  LlamaModel model_;
  const llama_vocab* vocab_ = nullptr;
  llama_context* context_ = nullptr;
  ggml_threadpool* threads_ = nullptr;
  std::unique_ptr<llama_batch> batch_;
  std::size_t dimension_ = 0, text_tokens_ = 0, step_tokens_ = 0, step_texts_ = 0;
};

}  // namespace pointsman::engine
