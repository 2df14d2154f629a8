// backends/engine/llama/job.h: one request on its way through the engine, and where its answer goes.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backends/engine/llama/sampler.h"
#include "base/async.h"
#include "base/result.h"
#include "pointsman/v1/engine.pb.h"

namespace pointsman::engine {

// Where an answer goes. The engine thread calls it and must never be held up by it.
class AnswerSink {
 public:
  virtual ~AnswerSink() = default;

  // Whole characters, and the tokens that they are made of when they were asked for.
  virtual void Emit(std::string text, std::vector<v1::TokenLogprob> tokens) = 0;
  // The end; one of the two, once, and nothing after it.
  virtual void Finish(v1::FinishReason reason, const v1::Usage& usage) = 0;
  virtual void Fail(Error error) = 0;

  // False while the reader is so far behind that generation should pause. The scheduler is woken when it catches up.
  virtual bool Writable() const = 0;

  // Nobody reads any more. Set by any thread, looked at between two engine steps.
  std::atomic<bool> cancelled = false;
};

struct Job {
  Job(std::vector<Token> prompt, Sampler sampler, std::shared_ptr<AnswerSink> sink)
      : prompt(std::move(prompt)), sampler(std::move(sampler)), sink(std::move(sink)) {}

  std::vector<Token> prompt;
  Sampler sampler;
  std::vector<std::string> stop;
  std::size_t max_tokens = 0;  // 0 = until the context is full
  bool logprobs = false;
  std::size_t top_logprobs = 0;
  bool ignore_end = false;  // go on to max_tokens whatever the model says: for measurements
  Deadline deadline = Deadline::max();
  std::shared_ptr<AnswerSink> sink;
};

}  // namespace pointsman::engine
