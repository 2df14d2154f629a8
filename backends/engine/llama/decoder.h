// backends/engine/llama/decoder.h: a llama_context with its batch and threads, behind checks: most mistakes that
// llama_decode can be made to make abort the process.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>

#include "backends/engine/llama/model.h"
#include "base/result.h"
#include "config/config.h"

struct ggml_threadpool;
struct llama_batch;
struct llama_context;

namespace pointsman::engine {

// Engine thread only.
class Decoder {
 public:
  // `stop` aborts a running Decode() when it becomes true. The memory for config.slots * config.context tokens is taken
  // at once.
  static Result<std::unique_ptr<Decoder>> Make(const LoadedModel& model, const config::Model& config,
                                               unsigned prompt_chunk, unsigned max_threads,
                                               const std::atomic<bool>& stop);
  ~Decoder();
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  // The batch of the next step. Add returns the index for Logits() when `output`.
  void Clear();
  int Add(Token token, std::size_t position, int sequence, bool output);
  std::size_t size() const;

  enum class Outcome { kOk, kAborted, kFailed };
  // Computes the batch with `threads` threads. kFailed: the memory of the sequences in the batch is not to be trusted.
  Outcome Decode(unsigned threads);
  // Why, after kFailed.
  const std::string& error() const { return error_; }

  // After kOk. One float per vocabulary entry, valid until the next Decode(); empty when there are none.
  std::span<const float> Logits(int index) const;

  // Keeps the first `length` tokens of a sequence. False: it could only be removed whole, and was.
  bool Truncate(int sequence, std::size_t length);

  // Makes `to` hold the first `length` tokens of `from`; false (and `to` empty) where this memory cannot.
  bool CopyPrefix(int from, int to, std::size_t length);

 private:
  Decoder() = default;

  const LoadedModel* model_ = nullptr;
  llama_context* context_ = nullptr;
  ggml_threadpool* threads_ = nullptr;
  std::unique_ptr<llama_batch> batch_;
  int capacity_ = 0;
  std::string error_;
};

}  // namespace pointsman::engine
