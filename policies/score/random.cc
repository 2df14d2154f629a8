#include "policies/score/random.h"

#include <bit>
#include <cstdint>
#include <utility>

namespace pointsman::score {

std::vector<policies::Candidate> AtRandom(const config::Experts& experts, double random,
                                          const std::vector<bool>& excluded) {
  std::vector<policies::Candidate> candidates;
  candidates.reserve(experts.size());
  for (const std::size_t expert : experts) {
    if (!excluded[expert]) candidates.push_back({expert, 0});
  }
  for (policies::Candidate& candidate : candidates) candidate.score = 1.0 / static_cast<double>(candidates.size());
  // Fisher-Yates, with a number of its own for each step (splitmix64: Steele, Lea, Flood 2014).
  auto state = std::bit_cast<std::uint64_t>(random);
  for (std::size_t at = 0; at + 1 < candidates.size(); ++at) {
    std::uint64_t z = state += 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    z ^= z >> 31;
    std::swap(candidates[at], candidates[at + z % (candidates.size() - at)]);
  }
  return candidates;
}

}  // namespace pointsman::score
