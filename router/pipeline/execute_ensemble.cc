// Runs an ensemble: all members at once, then one of their answers.
#include <span>
#include <string>
#include <vector>

#include "policies/combine/vote.h"
#include "policies/gate/options.h"
#include "router/pipeline/attempt.h"
#include "router/pipeline/facts.h"
#include "router/pipeline/gather.h"

namespace pointsman::pipeline {
namespace {

struct MemberRun {
  const policies::Member* member = nullptr;
  v1::CompleteResponse response;
  std::string answer;  // as votes count it; "" = none was found
  bool ended = false;  // answered or failed
  bool answered = false;
};

std::string TextOf(const v1::CompleteResponse& response) {
  std::string text;
  for (const v1::Part& part : response.message().parts()) text += part.text();
  return text;
}

// What the members that answered say, best member first.
struct Counted {
  std::vector<std::size_t> runs;  // of each vote
  std::vector<combine::Ballot> ballots;
};

Counted CountRuns(const std::vector<MemberRun>& runs) {
  Counted counted;
  std::vector<combine::Vote> votes;
  for (std::size_t r = 0; r < runs.size(); ++r) {
    if (!runs[r].answered) continue;
    votes.push_back({runs[r].answer, runs[r].member->weight});
    counted.runs.push_back(r);
  }
  counted.ballots = combine::Count(votes);
  return counted;
}

// Whether what is still to come cannot change who wins.
bool Decided(config::Combine combine, const std::vector<MemberRun>& runs) {
  if (combine == config::Combine::kBest) {
    for (const MemberRun& run : runs) {
      if (!run.ended) return false;
      if (run.answered) return true;
    }
    return true;
  }
  double open = 0;
  for (const MemberRun& run : runs) open += run.ended ? 0 : run.member->weight;
  const std::vector<combine::Ballot> ballots = CountRuns(runs).ballots;
  const std::span<const combine::Ballot> all(ballots);
  const std::size_t first = combine::Leading(all);
  if (first == all.size()) return false;
  const auto behind = all.subspan(first + 1);
  const std::size_t second = combine::Leading(behind);
  return all[first].weight > (second < behind.size() ? behind[second].weight : 0) + open;
}

struct Shared {
  Execution& execution;
  config::Combine combine;
  std::size_t options;  // of a multiple-choice question; 0 = it is none
  std::vector<MemberRun> runs;
  Gather gather;
};

Awaitable<void> AskMember(Shared& shared, MemberRun& run) {
  Attempt attempt(shared.execution, run.member->candidate.expert, shared.execution.request, false);
  while (!run.ended) {
    Result<backends::Chunk> next = co_await attempt.Next();
    if (!next) {
      run.ended = true;
      break;
    }
    Collect(*next, run.response);
    if (!next->last()) continue;
    attempt.Succeed(*next, run.response);
    run.answer = gate::ExtractAnswer(TextOf(run.response), shared.options);
    run.answered = run.ended = true;
  }
  if (Decided(shared.combine, shared.runs)) shared.gather.CancelAll();
}

// What all members that answered used, the winner's own counts of tokens apart: all of it is charged.
void ChargeAll(const std::vector<MemberRun>& runs, v1::Usage& usage) {
  double cost = 0;
  bool known = false;
  for (const MemberRun& run : runs) {
    if (!run.answered || !run.response.usage().has_cost_usd()) continue;
    cost += run.response.usage().cost_usd();
    known = true;
  }
  if (known) usage.set_cost_usd(cost);
}

}  // namespace

Awaitable<Result<void>> RunEnsemble(const policies::Ensemble& ensemble, Execution& execution) {
  if (Clock::now() >= execution.deadline) co_return DeadlineExceeded("the deadline passed before an expert answered");
  std::string storage;
  const std::size_t options = gate::CountOptions(QuestionOf(execution.request, storage));
  const Executor executor = (co_await asio::this_coro::executor);
  Shared shared{execution, ensemble.combine, options, {}, Gather(executor)};
  shared.runs.resize(ensemble.members.size());
  for (std::size_t m = 0; m < ensemble.members.size(); ++m) shared.runs[m].member = &ensemble.members[m];
  const int before = execution.trace.attempts_size();
  for (MemberRun& run : shared.runs) shared.gather.Start(AskMember(shared, run));
  co_await shared.gather.Wait();
  for (int a = before; a < execution.trace.attempts_size(); ++a) {
    v1::Attempt& attempt = *execution.trace.mutable_attempts(a);
    if (attempt.outcome() == Name(ErrorClass::kCancelled)) attempt.set_outcome("not_needed");
  }

  const Counted counted = CountRuns(shared.runs);
  for (const combine::Ballot& ballot : counted.ballots) {
    v1::Ballot& out = *execution.trace.add_ballots();
    out.set_answer(ballot.answer);
    out.set_weight(ballot.weight);
    for (const std::size_t voter : ballot.voters) {
      out.add_experts(shared.runs[counted.runs[voter]].response.expert());
    }
  }
  if (!counted.ballots.empty()) {
    MemberRun* winner = &shared.runs[counted.runs[combine::Winner(ensemble.combine, counted.ballots)]];
    ChargeAll(shared.runs, *winner->response.mutable_usage());
    const bool delivered = co_await DeliverWhole(execution, std::move(winner->response));
    if (!delivered) co_return Cancelled("the client is gone");
    co_return Result<void>();
  }
  for (const gateway::FailedAttempt& failure : execution.failures) {
    if (failure.error.error_class == ErrorClass::kCallersFault) co_return Named(failure.expert, failure.error);
  }
  const policies::Ask fallback{ensemble.fallback};
  co_return co_await RunAsk(fallback, execution);
}

}  // namespace pointsman::pipeline
