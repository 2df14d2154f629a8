#include "router/offline/policy_replay.h"

#include <algorithm>
#include <string>

#include "policies/combine/vote.h"
#include "policies/gate/options.h"
#include "policies/gate/weak_signals.h"

namespace pointsman::offline {
namespace {

void Ask(std::size_t expert, const Outcome& outcome, std::span<const double> cost, Replayed& replayed) {
  replayed.cost += cost[expert];
  replayed.asked += 1;
  replayed.best = std::max(replayed.best, static_cast<double>(outcome.scores[expert]));
}

}  // namespace

Replayed Replay(const policies::Plan& plan, const Outcome& outcome, std::span<const double> cost) {
  Replayed replayed;
  const auto* ensemble = std::get_if<policies::Ensemble>(&plan);
  if (ensemble == nullptr) {
    const std::size_t expert = policies::First(plan).expert;
    Ask(expert, outcome, cost, replayed);
    replayed.score = outcome.scores[expert];
    return replayed;
  }
  std::vector<combine::Vote> votes;
  for (const policies::Member& member : ensemble->members) {
    const std::size_t expert = member.candidate.expert;
    Ask(expert, outcome, cost, replayed);
    votes.push_back({outcome.answers[expert], member.weight});
  }
  const std::size_t winner = combine::Winner(ensemble->combine, combine::Count(votes));
  replayed.score = outcome.scores[ensemble->members[winner].candidate.expert];
  return replayed;
}

WeakVote Vote(std::span<const std::size_t> members, const gate::CascadeGate& gate, const Outcome& outcome,
              std::span<const double> cost) {
  WeakVote vote;
  std::vector<std::string> answers;
  for (const std::size_t expert : members) {
    Ask(expert, outcome, cost, vote.answer);
    answers.push_back(outcome.answers[expert]);
  }
  const gate::Votes votes = gate::Agreement(answers);
  vote.answer.score = outcome.scores[members[votes.majority]];
  gate::WeakSignals signals;
  signals.SetVotes(votes.shares, votes.samples);
  signals.End();
  vote.confidence = gate::Confidence(gate, signals, nullptr);
  return vote;
}

}  // namespace pointsman::offline
