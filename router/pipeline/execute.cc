#include "router/pipeline/execute.h"

#include <algorithm>

namespace pointsman::pipeline {
namespace {

// An attempt in the trace and the metrics, whatever ends it: an answer, an error, or the unwinding of a cancelled
// request.
class AttemptRecord {
 public:
  AttemptRecord(Execution& execution, std::size_t expert)
      : execution_(execution), expert_(expert), start_(Clock::now()), attempt_(*execution.trace.add_attempts()) {
    attempt_.set_expert(execution.snapshot.config->experts[expert].name);
  }
  AttemptRecord(const AttemptRecord&) = delete;
  AttemptRecord& operator=(const AttemptRecord&) = delete;
  ~AttemptRecord() {
    if (ended_) return;
    ErrorClass cancelled = ErrorClass::kCancelled;
    execution_.metrics.Attempted(expert_, &cancelled);
  }

  void FirstContent() {
    if (attempt_.first_token_milliseconds() > 0) return;
    Clock::time_point now = Clock::now();
    attempt_.set_first_token_milliseconds(Milliseconds(now - start_));
    execution_.trace.set_first_token_milliseconds(Milliseconds(now - execution_.arrival));
  }

  void Succeeded() {
    End("ok");
    execution_.metrics.Attempted(expert_, nullptr);
    execution_.metrics.FirstToken(expert_, execution_.trace.first_token_milliseconds() / 1e3);
  }

  void Failed(const Error& error) {
    End(Name(error.error_class));
    attempt_.set_message(error.message);
    attempt_.set_upstream_status(static_cast<std::uint32_t>(error.upstream_status));
    execution_.metrics.Attempted(expert_, &error.error_class);
    execution_.failures.push_back({attempt_.expert(), error});
  }

 private:
  void End(const char* outcome) {
    ended_ = true;
    attempt_.set_outcome(outcome);
    attempt_.set_milliseconds(Milliseconds(Clock::now() - start_));
  }

  Execution& execution_;
  std::size_t expert_;
  Clock::time_point start_;
  v1::Attempt& attempt_;
  bool ended_ = false;
};

void Collect(const backends::Chunk& chunk, v1::CompleteResponse& response) {
  v1::Message& message = *response.mutable_message();
  if (!chunk.text.empty()) {
    if (message.parts().empty()) message.add_parts();
    *message.mutable_parts(0)->mutable_text() += chunk.text;
  }
  for (const v1::ToolCall& call : chunk.tool_calls) *message.add_tool_calls() = call;
  for (const v1::TokenLogprob& token : chunk.logprobs) *response.add_logprobs() = token;
}

void Price(const config::Expert& expert, v1::Usage& usage) {
  if (!expert.price) return;
  usage.set_cost_usd((usage.prompt_tokens() * expert.price->input + usage.completion_tokens() * expert.price->output) /
                     1e6);
}

// Writes what the chunk holds to the client. false: the client is gone.
Awaitable<bool> Deliver(Execution& execution, backends::Chunk& chunk) {
  if (!chunk.text.empty() || !chunk.logprobs.empty()) {
    v1::CompleteEvent event;
    v1::Delta& delta = *event.mutable_delta();
    execution.partial.set_text_bytes(execution.partial.text_bytes() + static_cast<std::uint32_t>(chunk.text.size()));
    delta.set_text(std::move(chunk.text));
    for (v1::TokenLogprob& token : chunk.logprobs) *delta.add_logprobs() = std::move(token);
    execution.committed = true;
    execution.partial.set_deltas(execution.partial.deltas() + 1);
    if (!co_await execution.stream->Write(event)) co_return false;
  }
  for (v1::ToolCall& call : chunk.tool_calls) {
    v1::CompleteEvent event;
    *event.mutable_tool_call() = std::move(call);
    execution.committed = true;
    if (!co_await execution.stream->Write(event)) co_return false;
  }
  co_return true;
}

// One try at one expert: relays its answer to the end.
Awaitable<Result<void>> Attempt(Execution& execution, std::size_t index) {
  const config::Expert& expert = execution.snapshot.config->experts[index];
  AttemptRecord record(execution, index);
  std::unique_ptr<backends::AnswerStream> answer =
      execution.backends[index]->Open(execution.request, execution.stream != nullptr, execution.deadline);
  bool collect = execution.stream == nullptr || execution.collect;
  while (true) {
    Result<backends::Chunk> next = co_await answer->Next();
    if (!next) {
      record.Failed(next.error());
      co_return std::move(next).error();
    }
    backends::Chunk& chunk = *next;
    if (!chunk.text.empty() || !chunk.tool_calls.empty()) record.FirstContent();
    if (collect) Collect(chunk, execution.response);
    if (execution.stream != nullptr) {
      bool delivered = co_await Deliver(execution, chunk);
      if (!delivered) {
        Error gone = Cancelled("the client is gone");
        record.Failed(gone);
        co_return gone;
      }
    }
    if (!chunk.last()) continue;
    execution.response.set_expert(expert.name);
    execution.response.set_finish_reason(chunk.finish);
    if (chunk.usage) {
      *execution.response.mutable_usage() = *std::move(chunk.usage);
      Price(expert, *execution.response.mutable_usage());
    }
    const v1::Usage& usage = execution.response.usage();
    execution.metrics.Tokens(index, usage.prompt_tokens(), usage.cached_tokens(), usage.completion_tokens());
    execution.trace.set_expert(expert.name);
    record.Succeeded();
    co_return Result<void>();
  }
}

// Forgets what a failed attempt left of an answer that nobody has seen.
void Discard(v1::CompleteResponse& response) {
  response.clear_message();
  response.clear_logprobs();
  response.clear_usage();
  response.mutable_message()->set_role(v1::ROLE_ASSISTANT);
}

// The error as the client gets it: it says who failed, unless nobody did.
Error Named(const std::string& expert, Error error) {
  if (error.error_class != ErrorClass::kCancelled) error.message.insert(0, expert + ": ");
  return error;
}

// Every candidate failed.
Error AllFailed(const std::vector<gateway::FailedAttempt>& failures) {
  const Error& last = failures.back().error;
  auto all = [&](Code code) {
    return std::all_of(failures.begin(), failures.end(), [&](const auto& f) { return f.error.code == code; });
  };
  Code code = Code::kUnavailable;
  if (all(Code::kResourceExhausted)) code = Code::kResourceExhausted;
  if (all(Code::kInvalidArgument)) code = Code::kInvalidArgument;
  Error error(last.error_class, code, "");
  if (failures.size() == 1) {
    error.message = failures[0].expert + ": " + last.message;
  } else {
    error.message = "every expert failed:";
  }
  if (failures.size() > 1) {
    for (const auto& failure : failures) error.message += " " + failure.expert + ": " + failure.error.message + ";";
    error.message.pop_back();
  }
  if (code == Code::kResourceExhausted) {
    for (const auto& failure : failures) error.retry_after = std::max(error.retry_after, failure.error.retry_after);
  }
  return error;
}

}  // namespace

Awaitable<Result<void>> Execute(const policies::Ask& ask, Execution& execution) {
  execution.response.mutable_message()->set_role(v1::ROLE_ASSISTANT);
  for (const policies::Candidate& candidate : ask.candidates) {
    bool tried_again = false;
    while (true) {
      if (Clock::now() >= execution.deadline)
        co_return DeadlineExceeded("the deadline passed before an expert answered");
      Result<void> result = co_await Attempt(execution, candidate.expert);
      if (result) co_return result;
      const Error& error = result.error();
      const std::string& expert = execution.snapshot.config->experts[candidate.expert].name;
      if (execution.committed) {
        execution.partial.set_expert(expert);
        co_return Named(expert, error);
      }
      bool retryable = error.error_class == ErrorClass::kRetryElsewhere || error.error_class == ErrorClass::kRetryHere;
      if (!retryable) co_return Named(expert, error);
      Discard(execution.response);
      if (error.error_class != ErrorClass::kRetryHere || tried_again) break;
      tried_again = true;
    }
  }
  co_return AllFailed(execution.failures);
}

}  // namespace pointsman::pipeline
