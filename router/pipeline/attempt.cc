#include "router/pipeline/attempt.h"

#include <utility>

namespace pointsman::pipeline {
namespace {

void Price(const config::Expert& expert, v1::Usage& usage) {
  if (!expert.price) return;
  usage.set_cost_usd((usage.prompt_tokens() * expert.price->input + usage.completion_tokens() * expert.price->output) /
                     1e6);
}

}  // namespace

Attempt::Attempt(Execution& execution, std::size_t expert, const v1::CompleteRequest& request, bool stream)
    : execution_(execution), expert_(expert), start_(Clock::now()), record_(*execution.trace.add_attempts()) {
  record_.set_expert(name());
  answer_ = execution.backends[expert]->Open(request, stream, execution.deadline);
}

Attempt::~Attempt() {
  if (ended_) return;
  ErrorClass cancelled = ErrorClass::kCancelled;
  execution_.metrics.Attempted(expert_, &cancelled);
  End(Name(cancelled));
}

const std::string& Attempt::name() const { return execution_.snapshot.config->experts[expert_].name; }

Awaitable<Result<backends::Chunk>> Attempt::Next() {
  Result<backends::Chunk> next = co_await answer_->Next();
  if (!next) {
    Fail(next.error());
    co_return next;
  }
  if ((!next->text.empty() || !next->tool_calls.empty()) && record_.first_token_milliseconds() <= 0) {
    record_.set_first_token_milliseconds(Milliseconds(Clock::now() - start_));
  }
  co_return next;
}

void Attempt::Succeed(backends::Chunk& last, v1::CompleteResponse& response) {
  response.set_expert(name());
  response.set_finish_reason(last.finish);
  if (last.usage) {
    *response.mutable_usage() = *std::move(last.usage);
    Price(execution_.snapshot.config->experts[expert_], *response.mutable_usage());
  }
  const v1::Usage& usage = response.usage();
  record_.set_completion_tokens(usage.completion_tokens());
  execution_.metrics.Tokens(expert_, usage.prompt_tokens(), usage.cached_tokens(), usage.completion_tokens());
  execution_.metrics.Attempted(expert_, nullptr);
  const double seen = execution_.trace.first_token_milliseconds();  // 0: a whole answer that nobody has seen yet
  execution_.metrics.FirstToken(expert_, (seen > 0 ? seen : Milliseconds(Clock::now() - execution_.arrival)) / 1e3);
  End("ok");
}

void Attempt::Fail(const Error& error) {
  if (ended_) return;
  record_.set_message(error.message);
  record_.set_upstream_status(static_cast<std::uint32_t>(error.upstream_status));
  execution_.metrics.Attempted(expert_, &error.error_class);
  execution_.failures.push_back({name(), error});
  End(Name(error.error_class));
}

void Attempt::Stop(const char* outcome, std::size_t tokens) {
  if (ended_) return;
  answer_.reset();
  record_.set_completion_tokens(static_cast<std::uint32_t>(tokens));
  execution_.metrics.Stopped(expert_);
  End(outcome);
}

void Attempt::End(const char* outcome) {
  ended_ = true;
  record_.set_outcome(outcome);
  record_.set_milliseconds(Milliseconds(Clock::now() - start_));
}

void Collect(const backends::Chunk& chunk, v1::CompleteResponse& response) {
  v1::Message& message = *response.mutable_message();
  if (!chunk.text.empty()) {
    if (message.parts().empty()) message.add_parts();
    *message.mutable_parts(0)->mutable_text() += chunk.text;
  }
  for (const v1::ToolCall& call : chunk.tool_calls) *message.add_tool_calls() = call;
  for (const v1::TokenLogprob& token : chunk.logprobs) *response.add_logprobs() = token;
}

Awaitable<bool> Deliver(Execution& execution, backends::Chunk& chunk) {
  const bool content = !chunk.text.empty() || !chunk.logprobs.empty() || !chunk.tool_calls.empty();
  if (content && !execution.committed) {
    execution.trace.set_first_token_milliseconds(Milliseconds(Clock::now() - execution.arrival));
  }
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

bool TakeBack(Execution& execution) {
  if (execution.stream == nullptr || !execution.stream->TakeBack()) return false;
  execution.committed = false;
  execution.partial.Clear();
  execution.trace.clear_first_token_milliseconds();
  return true;
}

void KeepWantedLogprobs(const v1::CompleteRequest& request, backends::Chunk& chunk) {
  if (!request.logprobs()) {
    chunk.logprobs.clear();
    return;
  }
  const int wanted = static_cast<int>(request.top_logprobs());
  for (v1::TokenLogprob& token : chunk.logprobs) {
    if (token.top_size() > wanted) token.mutable_top()->DeleteSubrange(wanted, token.top_size() - wanted);
  }
}

Awaitable<Result<void>> Relay(Execution& execution, Attempt& attempt, std::vector<backends::Chunk> held) {
  const bool collect = execution.stream == nullptr || execution.collect;
  std::size_t at = 0;
  while (true) {
    Result<backends::Chunk> next = backends::Chunk();
    if (at < held.size()) {
      *next = std::move(held[at++]);
    } else {
      next = co_await attempt.Next();
      if (!next) co_return std::move(next).error();
      KeepWantedLogprobs(execution.request, *next);
    }
    backends::Chunk& chunk = *next;
    if (execution.stream == nullptr && (!chunk.text.empty() || !chunk.tool_calls.empty()) &&
        execution.trace.first_token_milliseconds() <= 0) {
      execution.trace.set_first_token_milliseconds(Milliseconds(Clock::now() - execution.arrival));
    }
    if (collect) Collect(chunk, execution.response);
    if (execution.stream != nullptr) {
      bool delivered = co_await Deliver(execution, chunk);
      if (!delivered) {
        Error gone = Cancelled("the client is gone");
        attempt.Fail(gone);
        co_return gone;
      }
    }
    if (!chunk.last()) continue;
    attempt.Succeed(chunk, execution.response);
    execution.trace.set_expert(attempt.name());
    co_return Result<void>();
  }
}

Awaitable<bool> DeliverWhole(Execution& execution, v1::CompleteResponse answer) {
  execution.trace.set_expert(answer.expert());
  execution.trace.set_first_token_milliseconds(Milliseconds(Clock::now() - execution.arrival));
  execution.response.set_expert(answer.expert());
  execution.response.set_finish_reason(answer.finish_reason());
  *execution.response.mutable_usage() = answer.usage();
  if (execution.stream != nullptr) {
    backends::Chunk chunk;
    for (const v1::Part& part : answer.message().parts()) chunk.text += part.text();
    for (const v1::ToolCall& call : answer.message().tool_calls()) chunk.tool_calls.push_back(call);
    for (const v1::TokenLogprob& token : answer.logprobs()) chunk.logprobs.push_back(token);
    if (!co_await Deliver(execution, chunk)) co_return false;
  }
  if (execution.stream == nullptr || execution.collect) {
    *execution.response.mutable_message() = std::move(*answer.mutable_message());
    execution.response.mutable_message()->set_role(v1::ROLE_ASSISTANT);
    *execution.response.mutable_logprobs() = std::move(*answer.mutable_logprobs());
  }
  co_return true;
}

void Discard(v1::CompleteResponse& response) {
  response.clear_message();
  response.clear_logprobs();
  response.clear_usage();
  response.mutable_message()->set_role(v1::ROLE_ASSISTANT);
}

Error Named(const std::string& expert, Error error) {
  if (error.error_class != ErrorClass::kCancelled) error.message.insert(0, expert + ": ");
  return error;
}

}  // namespace pointsman::pipeline
