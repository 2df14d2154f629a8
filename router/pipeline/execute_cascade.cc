// Runs a cascade (Mowst, arXiv 2311.05185, section 2, at the level of requests): the weak expert answers, the gate
// reads the beginning of it and keeps it, or its work is aborted and the next one is asked.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "policies/gate/cascade_gate.h"
#include "policies/gate/options.h"
#include "policies/gate/weak_signals.h"
#include "router/pipeline/attempt.h"
#include "router/pipeline/facts.h"
#include "router/pipeline/gather.h"

namespace pointsman::pipeline {
namespace {

constexpr unsigned kMostTop = 20;  // chat.proto
constexpr unsigned kTop = 5;

// A stage while it runs.
struct Stage {
  Execution& execution;
  const config::Stage& rule;
  const StageGate& gate;
  std::size_t options;        // of a multiple-choice question; 0 = it is none
  v1::CompleteRequest asked;  // what the weak expert gets: the request, and what the gate wants to know

  Stage(Execution& e, std::size_t stage, std::size_t option_count)
      : execution(e),
        rule(e.snapshot.config->policies[e.policy].cascade[stage]),
        gate(e.snapshot.files.cascades[e.policy][stage]),
        options(option_count),
        asked(e.request) {
    if (!(expert().capabilities & config::kLogprobs)) return;
    asked.set_logprobs(true);
    asked.set_top_logprobs(std::max(e.request.top_logprobs(), options > 0 ? kMostTop : kTop));
  }
  const config::Expert& expert() const { return execution.snapshot.config->experts[rule.expert]; }
};

using Options = std::array<double, gate::kMaxOptions>;

// The option probabilities, where one of the chunk's tokens is where the answer stands.
bool FindOptions(const backends::Chunk& chunk, std::span<double> probabilities) {
  std::vector<gate::TopToken> top;
  for (const v1::TokenLogprob& token : chunk.logprobs) {
    top.clear();
    for (const v1::TopToken& alternative : token.top()) top.push_back({alternative.token(), alternative.logprob()});
    if (gate::OptionProbabilities(top, probabilities) >= gate::kMinOptionMass) return true;
  }
  return false;
}

void Read(const backends::Chunk& chunk, gate::WeakSignals& signals) {
  std::vector<double> top;
  for (const v1::TokenLogprob& token : chunk.logprobs) {
    top.clear();
    for (const v1::TopToken& alternative : token.top()) top.push_back(alternative.logprob());
    gate::TokenSignal signal{token.logprob(), {}, {}, top};
    if (token.has_variance_dispersion()) signal.variance = token.variance_dispersion();
    if (token.has_entropy_dispersion()) signal.entropy = token.entropy_dispersion();
    signals.Add(signal);
  }
  if (chunk.last()) signals.End();
}

// What the gate says of what it has read, into the trace. True: keep the weak answer.
bool Decide(const Stage& stage, const gate::WeakSignals& signals) {
  Execution& execution = stage.execution;
  v1::GateDecision& decision = *execution.trace.add_decisions();
  const double confidence = gate::Confidence(stage.gate.gate, signals, execution.evidence);
  const bool readable = gate::Readable(stage.gate.gate, signals);
  decision.set_expert(stage.expert().name);
  decision.set_source(std::string(gate::Name(stage.gate.gate.source.value_or(signals.source()))));
  decision.set_tokens(static_cast<std::uint32_t>(signals.tokens()));
  decision.set_milliseconds(Milliseconds(Clock::now() - execution.arrival));
  bool keep = false;
  switch (stage.rule.rule) {
    case config::GateRule::kThreshold:
      decision.set_confidence(confidence);
      decision.set_threshold(stage.gate.threshold);
      keep = readable && gate::KeepByThreshold(confidence, stage.gate.threshold);
      decision.set_reason(keep ? "confident enough" : "not confident enough");
      break;
    case config::GateRule::kStochastic: {
      const double shifted = gate::Shifted(confidence, stage.gate.shift);
      decision.set_confidence(shifted);
      decision.set_threshold(execution.random);
      keep = readable && gate::KeepByDraw(shifted, execution.random);
      decision.set_reason(keep ? "drawn: kept" : "drawn: not kept");
      break;
    }
    case config::GateRule::kMixture:
      decision.set_confidence(confidence);
      decision.set_threshold(0.5);
      keep = readable && confidence >= 0.5;
      decision.set_reason("no options to weigh: the more probable answer");
      break;
  }
  if (!readable) {
    const std::optional<gate::SignalSource> reads = stage.gate.gate.source;
    decision.set_reason("the gate reads " + std::string(reads ? gate::Name(*reads) : "token probabilities") +
                        ", and the answer came with " + std::string(gate::Name(signals.source())) +
                        ": it cannot be judged, so it is not kept");
  }
  decision.set_kept(keep);
  execution.metrics.Gated(execution.policy, keep);
  return keep;
}

enum class Verdict { kKept, kNotKept, kFailed };

// One weak answer: its tokens are held back until the gate has read enough of them.
Awaitable<Result<Verdict>> ReadEarly(Stage& stage) {
  Execution& execution = stage.execution;
  Attempt attempt(execution, stage.rule.expert, stage.asked, true);
  gate::WeakSignals signals(stage.rule.tokens);
  std::vector<backends::Chunk> held;
  Options options{};
  bool found = stage.options < 2;
  while (!signals.complete()) {
    Result<backends::Chunk> next = co_await attempt.Next();
    if (!next) {
      const bool callers_fault = next.error().error_class == ErrorClass::kCallersFault;
      if (next.error().error_class == ErrorClass::kCancelled || callers_fault) {
        co_return Named(attempt.name(), std::move(next).error());
      }
      co_return Verdict::kFailed;
    }
    Read(*next, signals);
    if (!found) {
      const std::span<double> probabilities(options.data(), stage.options);
      found = FindOptions(*next, probabilities);
      if (found) signals.SetOptions(probabilities);
    }
    KeepWantedLogprobs(execution.request, *next);
    held.push_back(*std::move(next));
    if (held.back().last()) break;
  }
  if (!Decide(stage, signals)) {
    attempt.Stop("not_kept", signals.tokens());
    co_return Verdict::kNotKept;
  }
  Result<void> result = co_await Relay(execution, attempt, std::move(held));
  if (result) co_return Verdict::kKept;
  if (execution.committed && !TakeBack(execution)) {
    execution.partial.set_expert(attempt.name());
    co_return Named(attempt.name(), std::move(result).error());
  }
  if (result.error().error_class == ErrorClass::kCancelled) co_return std::move(result).error();
  Discard(execution.response);
  co_return Verdict::kFailed;
}

// A whole answer, with what a mixture reads of it.
struct WholeAnswer {
  v1::CompleteResponse response;
  gate::WeakSignals signals;
  Options options{};
  bool has_options = false, answered = false;
  std::string answer;
};

Awaitable<void> AskWhole(Stage& stage, std::size_t expert, const v1::CompleteRequest& request, WholeAnswer& out) {
  Attempt attempt(stage.execution, expert, request, false);
  while (!out.answered) {
    Result<backends::Chunk> next = co_await attempt.Next();
    if (!next) co_return;
    Read(*next, out.signals);
    const std::span<double> probabilities(out.options.data(), stage.options);
    if (stage.options >= 2 && !out.has_options) out.has_options = FindOptions(*next, probabilities);
    KeepWantedLogprobs(stage.execution.request, *next);
    Collect(*next, out.response);
    if (!next->last()) continue;
    attempt.Succeed(*next, out.response);
    out.answered = true;
  }
  std::string text;
  for (const v1::Part& part : out.response.message().parts()) text += part.text();
  out.answer = gate::ExtractAnswer(text, stage.options);
}

Awaitable<Result<Verdict>> Give(Execution& execution, WholeAnswer& answer) {
  const bool delivered = co_await DeliverWhole(execution, std::move(answer.response));
  if (!delivered) co_return Cancelled("the client is gone");
  co_return Verdict::kKept;
}

// Several weak answers at once: how far they agree is the confidence; the majority's answer is the one that is kept.
Awaitable<Result<Verdict>> Compare(Stage& stage) {
  Execution& execution = stage.execution;
  std::vector<WholeAnswer> samples(stage.rule.samples);
  std::vector<v1::CompleteRequest> requests(samples.size(), stage.asked);
  const Executor executor = (co_await asio::this_coro::executor);
  Gather gather(executor);
  for (std::size_t s = 0; s < samples.size(); ++s) {
    // Equal seeds would give equal samples.
    if (requests[s].sampling().has_seed()) requests[s].mutable_sampling()->set_seed(requests[s].sampling().seed() + s);
    gather.Start(AskWhole(stage, stage.rule.expert, requests[s], samples[s]));
  }
  co_await gather.Wait();

  std::erase_if(samples, [](const WholeAnswer& sample) { return !sample.answered; });
  if (samples.empty()) co_return Verdict::kFailed;
  std::vector<std::string> answers;
  for (const WholeAnswer& sample : samples) answers.push_back(sample.answer);
  const gate::Votes votes = gate::Agreement(answers);
  WholeAnswer& majority = samples[votes.majority];
  majority.signals.SetVotes(votes.shares, votes.samples);
  if (!Decide(stage, majority.signals)) co_return Verdict::kNotKept;
  double cost = 0;
  for (const WholeAnswer& sample : samples) cost += sample.response.usage().cost_usd();
  if (majority.response.usage().has_cost_usd()) majority.response.mutable_usage()->set_cost_usd(cost);
  co_return co_await Give(execution, majority);
}

// Mowst*: both answer, and the options are weighed by the confidence. Without options in both answers the confidence
// alone says whose answer it is.
Awaitable<Result<Verdict>> Mix(Stage& stage, std::size_t strong_expert) {
  Execution& execution = stage.execution;
  WholeAnswer weak, strong;
  v1::CompleteRequest strong_request = execution.request;
  if (execution.snapshot.config->experts[strong_expert].capabilities & config::kLogprobs) {
    strong_request.set_logprobs(true);
    strong_request.set_top_logprobs(kMostTop);
  }
  const Executor executor = (co_await asio::this_coro::executor);
  Gather gather(executor);
  gather.Start(AskWhole(stage, stage.rule.expert, stage.asked, weak));
  gather.Start(AskWhole(stage, strong_expert, strong_request, strong));
  co_await gather.Wait();
  if (!weak.answered && !strong.answered) co_return Verdict::kFailed;
  if (!weak.answered) co_return co_await Give(execution, strong);
  if (weak.has_options) weak.signals.SetOptions(std::span<const double>(weak.options.data(), stage.options));
  bool keep = Decide(stage, weak.signals) || !strong.answered;
  if (weak.has_options && strong.has_options) {
    Options mixed{};
    v1::GateDecision& decision = *execution.trace.mutable_decisions(execution.trace.decisions_size() - 1);
    const std::span<double> out(mixed.data(), stage.options);
    gate::Mixture(decision.confidence(), std::span<const double>(weak.options.data(), stage.options),
                  std::span<const double>(strong.options.data(), stage.options), out);
    const auto best = static_cast<char>('A' + (std::max_element(out.begin(), out.end()) - out.begin()));
    keep = weak.answer == std::string(1, best) && strong.answer != weak.answer;
    decision.set_kept(keep);
    decision.set_reason(std::string("the options together say ") + best);
  }
  WholeAnswer& chosen = keep ? weak : strong;
  if (chosen.response.usage().has_cost_usd() && weak.answered && strong.answered) {
    chosen.response.mutable_usage()->set_cost_usd(weak.response.usage().cost_usd() +
                                                  strong.response.usage().cost_usd());
  }
  co_return co_await Give(execution, chosen);
}

Awaitable<Result<Verdict>> RunStage(Stage& stage, const policies::Cascade& cascade) {
  if (stage.rule.rule == config::GateRule::kMixture) {
    const policies::Ask* ask = std::get_if<policies::Ask>(&cascade.strong);
    const std::size_t strong = ask != nullptr
                                   ? ask->candidates.front().expert
                                   : std::get<policies::Ensemble>(cascade.strong).members[0].candidate.expert;
    return Mix(stage, strong);
  }
  return stage.rule.samples > 1 ? Compare(stage) : ReadEarly(stage);
}

}  // namespace

Awaitable<Result<void>> RunCascade(const policies::Cascade& cascade, Execution& execution) {
  std::string storage;
  const std::size_t options = gate::CountOptions(QuestionOf(execution.request, storage));
  for (const std::size_t index : cascade.stages) {
    if (Clock::now() >= execution.deadline) co_return DeadlineExceeded("the deadline passed before an expert answered");
    Stage stage(execution, index, options);
    Result<Verdict> verdict = co_await RunStage(stage, cascade);
    if (!verdict) co_return std::move(verdict).error();
    if (*verdict == Verdict::kKept) co_return Result<void>();
  }
  if (const auto* ask = std::get_if<policies::Ask>(&cascade.strong)) co_return co_await RunAsk(*ask, execution);
  co_return co_await RunEnsemble(std::get<policies::Ensemble>(cascade.strong), execution);
}

}  // namespace pointsman::pipeline
