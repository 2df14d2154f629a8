// backends/engine/llama/embedder.h: the engine thread of an encoder: texts of all requests together, a step at a time.
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

#include "backends/engine/llama/encoder.h"
#include "backends/engine/worker/permits.h"
#include "backends/engine/worker/thread_tuner.h"
#include "base/async.h"
#include "base/result.h"
#include "config/config.h"
#include "pointsman/v1/admin.pb.h"
#include "pointsman/v1/engine.pb.h"

namespace pointsman::engine {

// Where the vectors go. One of the two, once, from the engine thread, which must never be held up by it.
class EmbedSink {
 public:
  virtual ~EmbedSink() = default;
  virtual void Finish(std::vector<v1::Embedding> embeddings) = 0;
  virtual void Fail(Error error) = 0;

  // Nobody reads any more. Set by any thread, looked at between two steps.
  std::atomic<bool> cancelled = false;
};

// A step takes one text of each waiting request in turn, oldest request first, so that a request of many texts does not
// hold up those of one. Any thread may call the public functions.
class Embedder {
 public:
  static constexpr std::size_t kMaxTexts = 64;                    // of one request
  static constexpr std::size_t kMaxBytes = std::size_t{1} << 20;  // of one text

  // Starts the engine thread, which loads the model first. `changed` is called (from that thread) when the model's
  // state changes. `permits` must outlive the embedder.
  Embedder(config::Model config, Permits& permits, std::function<void()> changed);
  ~Embedder();

  // A running step is aborted, and every request that is left fails with UNAVAILABLE. Returns when the engine thread
  // has ended. Not from that thread; the second call does nothing.
  void Stop();

  // Tokenizes on the caller's thread (microseconds a text) and queues. An error means that `sink` will not be called.
  // Errors: kInvalidArgument (no texts, too many, too long), kFailedPrecondition (failed to load), kUnavailable
  // (loading, stopping), kResourceExhausted (queue full).
  Result<void> Submit(const v1::EmbedRequest& request, Deadline deadline, std::shared_ptr<EmbedSink> sink);

  // A request was cancelled.
  void Wake();

  v1::ModelStatus Status() const;
  const std::string& name() const { return config_.name; }

 private:
  enum class State { kLoading, kReady, kFailed };
  struct Request {
    std::vector<EncoderTokens> texts;
    std::vector<v1::Embedding> embeddings;  // so many are done
    std::size_t begun = 0;                  // texts that are in a step, or done, in order
    Deadline deadline;
    std::shared_ptr<EmbedSink> sink;
  };
  struct Item {
    std::shared_ptr<Request> request;
    const EncoderTokens* text;
  };

  void Run();
  void Loop(Encoder& encoder);
  // Fails those that nobody waits for.
  void DropUnwanted();
  std::vector<Item> TakeStep(const Encoder& encoder);
  void Step(Encoder& encoder, const std::vector<Item>& step);
  void Fail(const std::string& message);

  const config::Model config_;
  Permits& permits_;
  const std::function<void()> changed_;
  std::unique_ptr<Encoder> encoder_;  // set before the state is kReady, then constant

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool woken_ = false;
  std::deque<std::shared_ptr<Request>> queue_;  // with texts that are not begun
  std::size_t waiting_ = 0;                     // texts in queue_ that are not begun
  State state_ = State::kLoading;
  std::string error_;
  bool closed_ = false;

  std::atomic<bool> stopping_ = false;
  std::atomic<unsigned> busy_ = 0;
  std::atomic<std::uint64_t> tokens_ = 0;
  ThreadTuner tuner_;

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace pointsman::engine
