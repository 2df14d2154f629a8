// backends/engine/llama/slot.h: one of the places in which a model answers: a sequence of the context's memory, what it
// holds, and the request that uses it now.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "backends/engine/llama/job.h"
#include "backends/engine/worker/stop_matcher.h"
#include "backends/engine/worker/utf8.h"

namespace pointsman::engine {

// Engine thread only. Knows nothing of llama.cpp's context: the scheduler keeps `cached` and the memory in step.
class Slot {
 public:
  Slot(int sequence, std::size_t context) : sequence_(sequence), context_(context) {}

  // Takes the request; its first `reused` prompt tokens are in the memory already.
  void Start(Job job, std::size_t reused);

  // Ends the request one way or the other; the slot is free then, its memory stays for the next one's prefix.
  void Finish(v1::FinishReason reason);
  void Fail(Error error);

  // The scheduler decoded the prompt to its end, or the last token: takes the next token from its logits, emits what is
  // complete, and finishes the request when that was the end.
  void Advance(const LoadedModel& model, std::span<const float> logits, std::vector<llama_token_data>& scratch);

  int sequence() const { return sequence_; }
  bool busy() const { return job_.has_value(); }
  Job& job() { return *job_; }
  const Job& job() const { return *job_; }

  // Tokens in the memory, in order.
  std::vector<Token> cached;

  // The prompt is not wholly in the memory yet: feed prompt tokens from cached.size() on.
  bool in_prompt() const { return cached.size() < job_->prompt.size(); }
  // The token to feed when not in_prompt().
  Token next() const { return next_; }

  std::uint64_t last_used = 0;  // the scheduler's step count
  std::uint64_t order = 0;      // of arrival: older prompts are fed first
  int output = -1;              // index of this step's logits, -1 = none

  std::size_t generated() const { return generated_; }

 private:
  struct Pending {
    v1::TokenLogprob token;
    std::size_t begin;  // bytes of answer text before it
    std::size_t end;    // and with it
  };
  void Emit(std::string text);
  void Flush();

  const int sequence_;
  const std::size_t context_;
  std::optional<Job> job_;
  std::optional<StopMatcher> stop_;
  Utf8Assembler utf8_;
  Token next_ = 0;
  std::size_t generated_ = 0;
  std::size_t reused_ = 0;
  std::size_t emitted_ = 0;       // bytes of text
  std::vector<Pending> pending_;  // tokens whose text is held back
};

}  // namespace pointsman::engine
