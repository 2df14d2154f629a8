// policies/combine/vote.h: one answer from those of several experts: the one with the most weight behind it (a weighted
// form of self-consistency, arXiv 2203.11171, section 2; the weights are those of arXiv 2403.07652, section 3.1,
// renormalised).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "config/config.h"

namespace pointsman::combine {

struct Vote {
  std::string answer;  // equal answers are equal strings (gate::ExtractAnswer); "" = none was found
  double weight = 0;   // > 0
};

struct Ballot {
  std::string answer;
  double weight = 0;
  std::vector<std::size_t> voters;  // indices of the votes, ascending
};

// The heaviest ballot first, of equals the one with the earlier voter. An empty answer agrees with no other.
std::vector<Ballot> Count(std::span<const Vote> votes);

// The heaviest of `ballots` (of Count()) whose answer could be read, as an index; ballots.size() without any. An answer
// that nobody can compare takes part in no vote. Any thread.
std::size_t Leading(std::span<const Ballot> ballots);

// The vote whose answer counts, as an index; `ballots` are what Count() made of the votes, at least one, and votes are
// best member first. By kVote the first voter of the leading ballot; by kBest, and where no answer could be read, the
// first vote. Any thread.
std::size_t Winner(config::Combine combine, std::span<const Ballot> ballots);

}  // namespace pointsman::combine
