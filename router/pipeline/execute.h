// router/pipeline/execute.h: runs a plan: attempts, fallback, the commit point, gates and votes.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backends/backend.h"
#include "policies/plan.h"
#include "router/gateway/status.h"
#include "router/pipeline/snapshot.h"

namespace pointsman::pipeline {

// As the trace counts time.
inline double Milliseconds(Clock::duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

// Where a streamed answer goes. Loop thread only.
class EventStream {
 public:
  virtual ~EventStream() = default;
  // `event` must live until the wait ends. false: the client is gone.
  virtual Awaitable<bool> Write(const v1::CompleteEvent& event) = 0;
  // The last events of an answer, one or more: nothing is written after them, and the call ends with OK, with which the
  // very last of them may go out. Else as Write.
  virtual Awaitable<bool> WriteLast(std::vector<v1::CompleteEvent> events);
  // Takes back the content that was written, where nobody has seen any of it yet. false: somebody has.
  virtual bool TakeBack() { return false; }
};

// One request under way, as Execute needs it. References must outlive the execution.
struct Execution {
  const Snapshot& snapshot;
  std::span<const std::unique_ptr<backends::Backend>> backends;  // by the index of the expert; null: zero-cost
  telemetry::Metrics& metrics;
  const v1::CompleteRequest& request;
  Deadline deadline;
  Clock::time_point arrival;
  EventStream* stream = nullptr;   // null: the answer is wanted whole
  bool collect = true;             // fill `response` also while streaming (for the cache)
  v1::CompleteResponse& response;  // message, finish reason, logprobs, usage and expert of the answer
  v1::Trace& trace;                // attempts, gate decisions, ballots, expert, time to the first token

  std::size_t policy = 0;                        // index into config.policies
  const policies::Evidence* evidence = nullptr;  // null: nothing was classified
  std::string_view category;                     // of the choice
  std::span<const std::string> copied;           // what copy experts say, by expert; may be empty
  double random = 0;                             // the request's, for stochastic gates

  std::vector<gateway::FailedAttempt> failures;  // filled
  v1::PartialAnswer partial;                     // filled: what was delivered to the client
  bool committed = false;                        // filled: part of the answer reached the client
};

// Runs the plan until there is an answer.
//
// Ask: the candidates in order until one answers. Before the commit point (the first content delivered to the client; a
// whole answer has none until its end) a failure moves on to the next candidate, a connection that went away unanswered
// is tried once more; after it, it ends the request.
// Ensemble: all members at once, each whole; then the vote (execute_ensemble.cc).
// Cascade: each stage up to its gate, which holds its tokens back until then (execute_cascade.cc).
//
// The error is the one to report: that of the caller's fault, of the deadline, of the broken stream, or, when all
// failed, UNAVAILABLE (RESOURCE_EXHAUSTED or INVALID_ARGUMENT when that was every attempt's reason).
Awaitable<Result<void>> Execute(const policies::Plan& plan, Execution& execution);

}  // namespace pointsman::pipeline
