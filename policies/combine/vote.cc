#include "policies/combine/vote.h"

#include <algorithm>

namespace pointsman::combine {

std::vector<Ballot> Count(std::span<const Vote> votes) {
  std::vector<Ballot> ballots;
  for (std::size_t v = 0; v < votes.size(); ++v) {
    const std::string& answer = votes[v].answer;
    auto same = std::find_if(ballots.begin(), ballots.end(),
                             [&](const Ballot& ballot) { return !answer.empty() && ballot.answer == answer; });
    if (same == ballots.end()) same = ballots.insert(ballots.end(), Ballot{answer, 0, {}});
    same->weight += votes[v].weight;
    same->voters.push_back(v);
  }
  std::stable_sort(ballots.begin(), ballots.end(),
                   [](const Ballot& a, const Ballot& b) { return a.weight > b.weight; });
  return ballots;
}

std::size_t Leading(std::span<const Ballot> ballots) {
  const auto read = std::find_if(ballots.begin(), ballots.end(), [](const Ballot& b) { return !b.answer.empty(); });
  return static_cast<std::size_t>(read - ballots.begin());
}

std::size_t Winner(config::Combine combine, std::span<const Ballot> ballots) {
  const std::size_t leading = Leading(ballots);
  if (combine == config::Combine::kVote && leading < ballots.size()) return ballots[leading].voters.front();
  return 0;
}

}  // namespace pointsman::combine
