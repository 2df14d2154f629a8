// backends/engine/llama/scheduler.h: the engine thread of one model: continuous batching of all its requests.
//
// One step = one llama_decode: the next token of every answering slot, and as many prompt tokens of the others as the
// prompt chunk allows, so that a long prompt never holds up the answers of the others for longer than that. Between two
// steps it takes new requests, and drops those that nobody waits for any more.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "backends/engine/llama/job.h"
#include "backends/engine/llama/model.h"
#include "backends/engine/worker/permits.h"
#include "backends/engine/worker/thread_tuner.h"
#include "base/result.h"
#include "config/config.h"
#include "pointsman/v1/admin.pb.h"
#include "pointsman/v1/engine.pb.h"

namespace pointsman::engine {

class Slot;
class Decoder;

// Any thread may call the public functions.
class Scheduler {
 public:
  // Starts the engine thread, which loads the model first. `changed` is called (from that thread) when the model's
  // state changes. `permits` must outlive the scheduler.
  Scheduler(config::Model config, unsigned prompt_chunk, Permits& permits, std::function<void()> changed);

  ~Scheduler();

  // A running step is aborted, and every request that is left fails with UNAVAILABLE. Returns when the engine thread
  // has ended. Not from that thread; the second call does nothing.
  void Stop();

  // Prepares the request (template, tokens, grammar: up to some milliseconds on the caller's thread) and queues it.
  // An error means that `sink` will not be called. Errors: kFailedPrecondition (failed to load), kUnavailable
  // (loading), kResourceExhausted (queue full), kInvalidArgument (class kCallersFault: schema or grammar;
  // kRetryElsewhere: the prompt does not suit this model).
  Result<void> Submit(const v1::GenerateRequest& request, Deadline deadline, std::shared_ptr<AnswerSink> sink);

  // The same for a prompt that is tokens already; `job.prompt` is not empty and fits.
  Result<void> Enqueue(Job job);

  // Something that the engine thread waits for may have happened: a cancellation, a reader that caught up.
  void Wake();

  v1::ModelStatus Status() const;
  const std::string& name() const { return config_.name; }

  // The model, null until it is loaded.
  const LoadedModel* model() const { return loaded_.load(std::memory_order_acquire); }

 private:
  enum class State { kLoading, kReady, kFailed };

  void Run();
  void Loop(Decoder& decoder, std::vector<Slot>& slots);
  void Admit(Decoder& decoder, std::vector<Slot>& slots);
  void DropUnwanted(std::vector<Slot>& slots);
  bool HasWork(const std::vector<Slot>& slots) const;
  void Step(Decoder& decoder, std::vector<Slot>& slots);
  void Fail(const std::string& message);
  bool stopping() const { return stopping_.load(std::memory_order_relaxed); }

  const config::Model config_;
  const unsigned prompt_chunk_;
  Permits& permits_;
  const std::function<void()> changed_;

  std::unique_ptr<LoadedModel> model_;
  std::atomic<const LoadedModel*> loaded_ = nullptr;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool woken_ = false;
  std::deque<Job> queue_;
  State state_ = State::kLoading;
  std::string error_;
  bool closed_ = false;  // the engine thread takes nothing any more

  std::atomic<bool> stopping_ = false;
  std::atomic<unsigned> busy_ = 0;
  std::atomic<std::uint64_t> tokens_generated_ = 0, prompt_tokens_ = 0;
  std::uint64_t steps_ = 0, arrivals_ = 0;
  std::vector<llama_token_data> scratch_;
  ThreadTuner tuner_;

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace pointsman::engine
