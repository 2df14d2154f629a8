#include "backends/engine/llama/encoder.h"

#include <llama.h>

#include <algorithm>
#include <cmath>

#include "backends/engine/llama/library.h"
#include "backends/engine/worker/utf8.h"

namespace pointsman::engine {

Result<std::unique_ptr<Encoder>> Encoder::Load(const config::Model& config, unsigned max_threads,
                                               const std::atomic<bool>& stop) {
  const auto stopped = [](void* stop) { return static_cast<const std::atomic<bool>*>(stop)->load(); };
  void* const flag = const_cast<std::atomic<bool>*>(&stop);
  Result<LlamaModel> model = LoadLlamaModel(config, stopped, flag);
  if (!model) return std::move(model).error();
  const auto failed = [&](const std::string& what) { return LoadError(config, config.file.string() + " " + what); };

  std::unique_ptr<Encoder> encoder(new Encoder);
  encoder->model_ = std::move(*model);
  encoder->vocab_ = llama_model_get_vocab(encoder->model_.get());
  if (IsCausal(encoder->model_.get()) || llama_model_has_encoder(encoder->model_.get())) {
    return failed("is no sentence encoder: it is of kind text");
  }
  // Without these two the tokenizer ends the process.
  if (llama_vocab_type(encoder->vocab_) != LLAMA_VOCAB_TYPE_WPM ||
      llama_vocab_bos(encoder->vocab_) == LLAMA_TOKEN_NULL || llama_vocab_sep(encoder->vocab_) == LLAMA_TOKEN_NULL) {
    return failed("has no WordPiece vocabulary with [CLS] and [SEP]");
  }
  const auto trained = static_cast<unsigned>(std::max(0, llama_model_n_ctx_train(encoder->model_.get())));
  if (config.context > trained) {
    return failed("reads at most " + std::to_string(trained) + " tokens of a text: lower `context` of " +
                  std::to_string(config.context));
  }
  encoder->dimension_ = static_cast<std::size_t>(llama_model_n_embd(encoder->model_.get()));
  encoder->text_tokens_ = config.context;
  encoder->step_texts_ = config.slots;
  encoder->step_tokens_ = std::max<std::size_t>(config.context, kStepTokens);

  llama_context_params params = llama_context_default_params();
  params.embeddings = true;
  params.kv_unified = true;  // there is no memory to divide
  params.n_seq_max = config.slots;
  params.n_ctx = params.n_batch = params.n_ubatch = static_cast<std::uint32_t>(encoder->step_tokens_);
  params.n_threads = params.n_threads_batch = static_cast<std::int32_t>(max_threads);
  params.no_perf = true;
  params.abort_callback = stopped;
  params.abort_callback_data = flag;
  LogCapture log;
  try {
    encoder->context_ = llama_init_from_model(encoder->model_.get(), params);
  } catch (const std::exception& e) {
    return failed(std::string("has no room for its context: ") + e.what());
  }
  if (encoder->context_ == nullptr) return failed("cannot be used: " + log.Text("llama.cpp gives no reason"));
  const auto pooling = llama_pooling_type(encoder->context_);
  if (pooling != LLAMA_POOLING_TYPE_MEAN && pooling != LLAMA_POOLING_TYPE_CLS) {
    return failed("does not say how it pools its tokens (mean or cls)");
  }
  // What llama.cpp would end the process for, were a batch larger.
  if (llama_get_memory(encoder->context_) != nullptr || llama_n_ubatch(encoder->context_) < encoder->step_tokens_ ||
      llama_n_seq_max(encoder->context_) < encoder->step_texts_) {
    return failed("is not an encoder that reads a step at once");
  }

  // A pool of our own, without polling: as for the models that answer (decoder.cc).
  ggml_threadpool_params pool = ggml_threadpool_params_default(static_cast<int>(max_threads));
  pool.poll = 0;
  encoder->threads_ = ggml_threadpool_new(&pool);
  if (encoder->threads_ == nullptr) return failed("cannot be used: its compute threads cannot be started");
  llama_attach_threadpool(encoder->context_, encoder->threads_, nullptr);
  const auto capacity = static_cast<std::int32_t>(encoder->step_tokens_);
  encoder->batch_ = std::make_unique<llama_batch>(llama_batch_init(capacity, 0, 1));
  return encoder;
}

Encoder::~Encoder() {
  if (batch_ != nullptr) llama_batch_free(*batch_);
  if (context_ != nullptr) llama_free(context_);
  if (threads_ != nullptr) ggml_threadpool_free(threads_);  // after the context that uses it
}

Result<EncoderTokens> Encoder::Tokenize(std::string_view text) const {
  EncoderTokens result;
  const bool cut = text.size() > kMaxTextBytes;
  const std::string read = ValidUtf8(text.substr(0, kMaxTextBytes));
  std::vector<Token>& tokens = result.tokens;
  tokens.resize(read.size() + 2);
  const auto tokenize = [&] {
    return llama_tokenize(vocab_, read.data(), static_cast<std::int32_t>(read.size()), tokens.data(),
                          static_cast<std::int32_t>(tokens.size()), /*add_special=*/true, /*parse_special=*/false);
  };
  try {
    std::int32_t count = tokenize();
    if (count < 0) {  // characters that become several when they are taken apart
      tokens.resize(static_cast<std::size_t>(-count));
      count = tokenize();
    }
    tokens.resize(static_cast<std::size_t>(std::max(0, count)));
  } catch (const std::exception& e) {
    return Error(ErrorClass::kRetryElsewhere, Code::kInvalidArgument,
                 std::string("the encoder's tokenizer refuses the text: ") + e.what());
  }
  result.truncated = cut || tokens.size() > text_tokens_;
  if (tokens.size() > text_tokens_) {
    tokens.resize(text_tokens_);
    tokens.back() = llama_vocab_sep(vocab_);
  }
  return result;
}

std::vector<std::string> Encoder::Vocabulary() const {
  constexpr std::string_view kBeginsWord = "\xE2\x96\x81";  // how GGUF files mark it; a "##" they leave out
  std::vector<std::string> pieces;
  const std::int32_t count = llama_vocab_n_tokens(vocab_);
  for (llama_token token = 0; token < count; ++token) {
    const std::string_view text = llama_vocab_get_text(vocab_, token);
    if (text.empty() || text.find('\n') != std::string_view::npos) {
      pieces.emplace_back();
    } else if ((llama_vocab_get_attr(vocab_, token) & LLAMA_TOKEN_ATTR_CONTROL) != 0) {
      pieces.emplace_back(text);
    } else if (text.starts_with(kBeginsWord)) {
      pieces.emplace_back(text.substr(kBeginsWord.size()));
    } else {
      pieces.push_back("##" + std::string(text));
    }
  }
  return pieces;
}

EncoderTokens Encoder::Single(std::size_t token) const {
  EncoderTokens result;
  result.tokens = {llama_vocab_bos(vocab_), static_cast<Token>(token), llama_vocab_sep(vocab_)};
  return result;
}

Result<std::vector<std::vector<float>>> Encoder::Encode(std::span<const EncoderTokens* const> texts, unsigned threads) {
  std::size_t total = 0;
  for (const EncoderTokens* text : texts) {
    if (text->tokens.empty()) return Internal("a text without tokens came to the encoder");
    total += text->tokens.size();
  }
  if (texts.empty() || texts.size() > step_texts_ || total > step_tokens_) {
    return Internal("a step of " + std::to_string(texts.size()) + " texts and " + std::to_string(total) +
                    " tokens came to the encoder");
  }
  llama_batch& batch = *batch_;
  batch.n_tokens = 0;
  for (std::size_t s = 0; s < texts.size(); ++s) {
    for (std::size_t i = 0; i < texts[s]->tokens.size(); ++i) {
      const int at = batch.n_tokens++;
      batch.token[at] = texts[s]->tokens[i];
      batch.pos[at] = static_cast<llama_pos>(i);
      batch.n_seq_id[at] = 1;
      batch.seq_id[at][0] = static_cast<llama_seq_id>(s);
      batch.logits[at] = 1;
    }
  }
  LogCapture log;
  try {
    llama_set_n_threads(context_, static_cast<std::int32_t>(threads), static_cast<std::int32_t>(threads));
    const std::int32_t outcome = llama_encode(context_, batch);
    if (outcome == 2) return Unavailable("the engine is stopping");
    if (outcome != 0) return Internal("llama.cpp could not encode: " + log.Text("it gives no reason"));
  } catch (const std::exception& e) {
    return Internal(std::string("llama.cpp could not encode: ") + e.what());
  }
  std::vector<std::vector<float>> vectors;
  for (std::size_t s = 0; s < texts.size(); ++s) {
    const float* pooled = llama_get_embeddings_seq(context_, static_cast<llama_seq_id>(s));
    if (pooled == nullptr) return Internal("llama.cpp returned no embedding");
    std::vector<float>& vector = vectors.emplace_back(pooled, pooled + dimension_);
    double squares = 0;
    for (const float value : vector) squares += static_cast<double>(value) * static_cast<double>(value);
    if (!(squares > 0) || !std::isfinite(squares)) return Internal("the encoder's embedding has no length");
    const auto scale = static_cast<float>(1 / std::sqrt(squares));
    for (float& value : vector) value *= scale;
  }
  return vectors;
}

}  // namespace pointsman::engine
