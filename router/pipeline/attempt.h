// router/pipeline/attempt.h: one try at one expert: the answer's chunks, and what trace and metrics know of it. Inside
// the pipeline only; loop thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "router/pipeline/execute.h"

namespace pointsman::pipeline {

class Attempt {
 public:
  // Opens the answer. `request` must outlive it; `stream`: chunks are wanted as they come.
  Attempt(Execution& execution, std::size_t expert, const v1::CompleteRequest& request, bool stream);
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;
  // Not ended: the request was cancelled, which cancels the work.
  ~Attempt();

  // The next chunk; an error ends the attempt. After a chunk with last() it must not be called again.
  Awaitable<Result<backends::Chunk>> Next();

  // Its last chunk has come: fills in what `response` says of the whole answer.
  void Succeed(backends::Chunk& last, v1::CompleteResponse& response);
  // The client is gone, and other errors that are not the expert's.
  void Fail(const Error& error);
  // Ends it and its work because its answer is not wanted any more; `outcome` says why: "not_kept". `tokens` of it
  // came.
  void Stop(const char* outcome, std::size_t tokens);

  std::size_t expert() const { return expert_; }
  const std::string& name() const;

 private:
  void End(const char* outcome);

  Execution& execution_;
  std::size_t expert_;
  Clock::time_point start_;
  v1::Attempt& record_;
  std::unique_ptr<backends::AnswerStream> answer_;
  bool ended_ = false;
};

// Appends what the chunk holds to a whole answer.
void Collect(const backends::Chunk& chunk, v1::CompleteResponse& response);

// Writes what the chunk holds to the client: from the first content on the request is committed. false: the client is
// gone.
Awaitable<bool> Deliver(Execution& execution, backends::Chunk& chunk);

// Makes a failed answer unseen again, where the content that was delivered can be taken back: then it counts as not
// committed. false: somebody has seen it.
bool TakeBack(Execution& execution);

// Takes off what a gate wanted to know and the client did not ask for.
void KeepWantedLogprobs(const v1::CompleteRequest& request, backends::Chunk& chunk);

// Relays an answer to its end: first the chunks `held` (of which the last may be the end), then what still comes.
Awaitable<Result<void>> Relay(Execution& execution, Attempt& attempt, std::vector<backends::Chunk> held);

// Makes a whole answer the request's own, and delivers it to a client that waits for a stream. false: it is gone.
Awaitable<bool> DeliverWhole(Execution& execution, v1::CompleteResponse answer);

// Forgets what a failed attempt left of an answer that nobody has seen.
void Discard(v1::CompleteResponse& response);

// The error as the client gets it: it says who failed, unless nobody did.
Error Named(const std::string& expert, Error error);

Awaitable<Result<void>> RunAsk(const policies::Ask& ask, Execution& execution);
Awaitable<Result<void>> RunEnsemble(const policies::Ensemble& ensemble, Execution& execution);
Awaitable<Result<void>> RunCascade(const policies::Cascade& cascade, Execution& execution);

}  // namespace pointsman::pipeline
