#include "backends/engine/llama/decoder.h"

#include <llama.h>

#include <algorithm>

#include "backends/engine/llama/library.h"

namespace pointsman::engine {

Result<std::unique_ptr<Decoder>> Decoder::Make(const LoadedModel& model, const config::Model& config,
                                               unsigned prompt_chunk, unsigned max_threads,
                                               const std::atomic<bool>& stop) {
  const auto failed = [&](const std::string& what) {
    return Error(ErrorClass::kRetryElsewhere, Code::kFailedPrecondition, "model " + config.name + ": " + what);
  };
  std::unique_ptr<Decoder> decoder(new Decoder);
  decoder->model_ = &model;
  decoder->capacity_ = static_cast<int>(config.slots + prompt_chunk);

  llama_context_params params = llama_context_default_params();
  // Every slot owns its cells: one answer can never take another's room, and attention looks at its own tokens only.
  params.kv_unified = false;
  params.n_seq_max = config.slots;
  params.n_ctx = config.context * config.slots;
  params.n_batch = static_cast<std::uint32_t>(decoder->capacity_);
  params.n_ubatch = params.n_batch;
  params.n_threads = static_cast<std::int32_t>(max_threads);
  params.n_threads_batch = params.n_threads;
  params.swa_full = true;  // sliding windows keep all tokens: prefixes can be reused
  params.no_perf = true;
  params.abort_callback = [](void* stop) { return static_cast<const std::atomic<bool>*>(stop)->load(); };
  params.abort_callback_data = const_cast<std::atomic<bool>*>(&stop);
  LogCapture log;
  try {
    decoder->context_ = llama_init_from_model(model.get(), params);
  } catch (const std::exception& e) {
    return failed(std::string("no memory for its context: ") + e.what());
  }
  if (decoder->context_ == nullptr) {
    return failed("a context of " + std::to_string(config.slots) + " slots of " + std::to_string(config.context) +
                  " tokens cannot be made: " + log.Text("llama.cpp gives no reason"));
  }
  if (llama_n_ctx_seq(decoder->context_) < config.context ||
      llama_n_batch(decoder->context_) < static_cast<std::uint32_t>(decoder->capacity_)) {
    return failed("llama.cpp cut the context to " + std::to_string(llama_n_ctx_seq(decoder->context_)) +
                  " tokens a slot and batches of " + std::to_string(llama_n_batch(decoder->context_)));
  }

  // A pool of our own, because without one every step starts its threads anew; without polling, because waiting threads
  // must not burn the cores that the router needs.
  ggml_threadpool_params pool = ggml_threadpool_params_default(static_cast<int>(max_threads));
  pool.poll = 0;
  decoder->threads_ = ggml_threadpool_new(&pool);
  if (decoder->threads_ == nullptr) return failed("its compute threads cannot be started");
  llama_attach_threadpool(decoder->context_, decoder->threads_, nullptr);

  decoder->batch_ = std::make_unique<llama_batch>(llama_batch_init(decoder->capacity_, 0, 1));
  decoder->Clear();
  return decoder;
}

Decoder::~Decoder() {
  if (batch_ != nullptr) llama_batch_free(*batch_);
  if (context_ != nullptr) llama_free(context_);
  if (threads_ != nullptr) ggml_threadpool_free(threads_);  // after the context that uses it
}

void Decoder::Clear() { batch_->n_tokens = 0; }

int Decoder::Add(Token token, std::size_t position, int sequence, bool output) {
  const int i = batch_->n_tokens++;
  batch_->token[i] = token;
  batch_->pos[i] = static_cast<llama_pos>(position);
  batch_->n_seq_id[i] = 1;
  batch_->seq_id[i][0] = sequence;
  batch_->logits[i] = output ? 1 : 0;
  return i;
}

std::size_t Decoder::size() const { return static_cast<std::size_t>(batch_->n_tokens); }

Decoder::Outcome Decoder::Decode(unsigned threads) {
  if (batch_->n_tokens == 0 || batch_->n_tokens > capacity_) return Outcome::kFailed;
  LogCapture log;  // an aborted step logs four errors that are none
  try {
    llama_set_n_threads(context_, static_cast<std::int32_t>(threads), static_cast<std::int32_t>(threads));
    switch (llama_decode(context_, *batch_)) {
      case 0: return Outcome::kOk;
      case 2: return Outcome::kAborted;
      default: error_ = log.Text("llama.cpp gives no reason"); return Outcome::kFailed;
    }
  } catch (const std::exception& e) {
    error_ = e.what();
    return Outcome::kFailed;
  }
}

std::span<const float> Decoder::Logits(int index) const {
  const float* logits = llama_get_logits_ith(context_, index);
  return logits == nullptr ? std::span<const float>() : std::span(logits, model_->vocabulary_size());
}

bool Decoder::Truncate(int sequence, std::size_t length) {
  llama_memory_t memory = llama_get_memory(context_);
  if (length > 0 && llama_memory_seq_rm(memory, sequence, static_cast<llama_pos>(length), -1)) return true;
  llama_memory_seq_rm(memory, sequence, -1, -1);
  return length == 0;
}

bool Decoder::CopyPrefix(int from, int to, std::size_t length) {
  llama_memory_t memory = llama_get_memory(context_);
  // Slots own their cells: a part of a sequence cannot be copied (an assertion), only all of it and then cut.
  llama_memory_seq_rm(memory, to, -1, -1);
  llama_memory_seq_cp(memory, from, to, -1, -1);
  return Truncate(to, length);
}

}  // namespace pointsman::engine
