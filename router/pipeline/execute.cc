#include "router/pipeline/execute.h"

#include <algorithm>

#include "router/pipeline/attempt.h"
#include "router/pipeline/zero_cost.h"

namespace pointsman::pipeline {
namespace {

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

// An expert that costs nothing says its text.
Awaitable<Result<void>> Say(Execution& execution, std::size_t index) {
  const config::Expert& expert = execution.snapshot.config->experts[index];
  const std::string_view copied = index < execution.copied.size() ? execution.copied[index] : std::string_view();
  ZeroCostReply reply = ReplyOf(expert, execution.evidence, execution.category, copied);
  v1::Attempt& record = *execution.trace.add_attempts();
  record.set_expert(expert.name);
  record.set_outcome("ok");
  execution.metrics.Attempted(index, nullptr);
  v1::CompleteResponse answer;
  answer.set_expert(expert.name);
  answer.set_finish_reason(reply.finish);
  answer.mutable_usage()->set_cost_usd(0);
  answer.mutable_message()->add_parts()->set_text(std::move(reply.text));
  const bool delivered = co_await DeliverWhole(execution, std::move(answer));
  if (!delivered) co_return Cancelled("the client is gone");
  co_return Result<void>();
}

// One try at one expert: relays its answer to the end.
Awaitable<Result<void>> Try(Execution& execution, std::size_t expert) {
  if (execution.snapshot.config->experts[expert].zero_cost()) co_return co_await Say(execution, expert);
  Attempt attempt(execution, expert, execution.request, execution.stream != nullptr);
  co_return co_await Relay(execution, attempt, {});
}

Awaitable<Result<void>> Run(const policies::Reply& reply, Execution& execution) {
  co_return co_await Say(execution, reply.expert.expert);
}
Awaitable<Result<void>> Run(const policies::Ask& ask, Execution& execution) { return RunAsk(ask, execution); }
Awaitable<Result<void>> Run(const policies::Ensemble& e, Execution& execution) { return RunEnsemble(e, execution); }
Awaitable<Result<void>> Run(const policies::Cascade& c, Execution& execution) { return RunCascade(c, execution); }

}  // namespace

Awaitable<bool> EventStream::WriteLast(std::vector<v1::CompleteEvent> events) {
  for (const v1::CompleteEvent& event : events) {
    const bool written = co_await Write(event);
    if (!written) co_return false;
  }
  co_return true;
}

Awaitable<Result<void>> RunAsk(const policies::Ask& ask, Execution& execution) {
  for (const policies::Candidate& candidate : ask.candidates) {
    bool tried_again = false;
    while (true) {
      if (Clock::now() >= execution.deadline)
        co_return DeadlineExceeded("the deadline passed before an expert answered");
      Result<void> result = co_await Try(execution, candidate.expert);
      if (result) co_return result;
      const Error& error = result.error();
      const std::string& expert = execution.snapshot.config->experts[candidate.expert].name;
      if (execution.committed && !TakeBack(execution)) {
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

Awaitable<Result<void>> Execute(const policies::Plan& plan, Execution& execution) {
  execution.response.mutable_message()->set_role(v1::ROLE_ASSISTANT);
  return std::visit([&](const auto& shape) { return Run(shape, execution); }, plan);
}

}  // namespace pointsman::pipeline
