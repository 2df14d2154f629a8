#include "policies/score/category_map.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace pointsman::score {
namespace {

using config::Experts;
using policies::Candidate;
using policies::Evidence;

constexpr double kNegligible = 0.01;  // all categories that are passed over together are less probable than this

const Experts& ExpertsOf(const config::CategoryMap& map, const std::string& category) {
  auto it = map.experts.find(category);
  return it != map.experts.end() ? it->second : map.experts.at(kGeneral);
}

std::optional<std::size_t> FirstLeft(const Experts& experts, const std::vector<bool>& excluded) {
  for (const std::size_t expert : experts) {
    if (!excluded[expert]) return expert;
  }
  return std::nullopt;
}

bool BetterScored(const Candidate& a, const Candidate& b) {
  return a.score != b.score ? a.score > b.score : a.expert < b.expert;
}

// Calls `visit(category index, probability)` for all categories that matter.
template <class Visit>
void ForEach(const Evidence& evidence, Visit visit) {
  const double least = kNegligible / static_cast<double>(evidence.probabilities.size());
  for (std::size_t c = 0; c < evidence.probabilities.size(); ++c) {
    if (evidence.probabilities[c] >= least) visit(c, static_cast<double>(evidence.probabilities[c]));
  }
}

std::vector<Candidate> ByWorth(const config::Config& config, const config::CategoryMap& map, const Evidence& evidence,
                               const std::vector<bool>& excluded) {
  const std::vector<double>& general = map.worth.at(kGeneral);
  thread_local std::vector<double> worth;
  worth.assign(general.size(), 0);
  double total = 0;
  ForEach(evidence, [&](std::size_t c, double probability) {
    auto it = map.worth.find(evidence.categories[c]);
    const std::vector<double>& row = it != map.worth.end() ? it->second : general;
    for (std::size_t e = 0; e < worth.size(); ++e) worth[e] += probability * row[e];
    total += probability;
  });
  std::vector<Candidate> candidates;
  candidates.reserve(worth.size());
  for (std::size_t e = 0; e < worth.size(); ++e) {
    if (excluded[e]) continue;
    const config::ZeroCostBackend* zero_cost = config.experts[e].zero_cost();
    if (!std::isnan(worth[e])) {
      candidates.push_back({e, worth[e] / total});
    } else if (zero_cost != nullptr && zero_cost->score) {
      candidates.push_back({e, *zero_cost->score});
    }
  }
  std::sort(candidates.begin(), candidates.end(), BetterScored);
  return candidates;
}

// How probably each expert is the right one: the sum over the categories that want it first.
struct Right {
  std::vector<double> probability;                         // by expert
  std::vector<std::pair<std::size_t, std::size_t>> first;  // category, its first expert
};

const Right& ProbablyRight(const config::Config& config, const config::CategoryMap& map, const Evidence& evidence,
                           const std::vector<bool>& excluded) {
  thread_local Right right;
  right.probability.assign(config.experts.size(), 0);
  right.first.clear();
  ForEach(evidence, [&](std::size_t c, double probability) {
    auto expert = FirstLeft(ExpertsOf(map, evidence.categories[c]), excluded);
    if (!expert) expert = FirstLeft(map.experts.at(kGeneral), excluded);
    if (!expert) return;
    right.probability[*expert] += probability;
    right.first.emplace_back(c, *expert);
  });
  return right;
}

// The likeliest category whose first expert is most probably the right one.
std::size_t MostProbablyRight(const Right& right, const Evidence& evidence) {
  const auto best = static_cast<std::size_t>(std::max_element(right.probability.begin(), right.probability.end()) -
                                             right.probability.begin());
  std::size_t category = evidence.likeliest;
  float most = -1;
  for (const auto& [c, expert] : right.first) {
    if (expert != best || evidence.probabilities[c] <= most) continue;
    most = evidence.probabilities[c];
    category = c;
  }
  return category;
}

// All experts that may be right, by how probable that is, shares that sum to 1; then the rest of `list`.
std::vector<Candidate> ByShare(const Right& right, const Experts& list, const std::vector<bool>& excluded) {
  std::vector<Candidate> candidates;
  double total = 0;
  for (const double probability : right.probability) total += probability;
  for (std::size_t e = 0; e < right.probability.size(); ++e) {
    if (right.probability[e] > 0) candidates.push_back({e, right.probability[e] / total});
  }
  std::sort(candidates.begin(), candidates.end(), BetterScored);
  for (const std::size_t expert : list) {
    if (!excluded[expert] && !(right.probability[expert] > 0)) candidates.push_back({expert, 0});
  }
  return candidates;
}

}  // namespace

std::vector<Candidate> InOrder(const Experts& experts, const std::vector<bool>& excluded, bool shares) {
  std::vector<Candidate> candidates;
  candidates.reserve(experts.size());
  for (std::size_t r = 0; r < experts.size(); ++r) {
    if (excluded[experts[r]]) continue;
    const double rank = 1.0 - static_cast<double>(r) / static_cast<double>(experts.size());
    candidates.push_back({experts[r], rank});
  }
  for (policies::Candidate& candidate : candidates) {
    if (shares) candidate.score = 1.0 / static_cast<double>(candidates.size());
  }
  return candidates;
}

Routed ByCategory(const config::Config& config, const config::CategoryMap& map, const Evidence* evidence,
                  const std::vector<bool>& excluded, bool several) {
  Routed routed;
  const bool general = evidence == nullptr || evidence->categories.empty() || evidence->foreign || evidence->mixed ||
                       (evidence->uncertain && map.uncertain == config::Uncertain::kGeneral);
  const Experts& generalists = map.experts.at(kGeneral);
  if (general) {
    routed.category = kGeneral;
    routed.wanted = &generalists;
  } else if (!map.worth.empty()) {
    const std::string& likeliest = evidence->categories[evidence->likeliest];
    routed.category = likeliest;
    routed.wanted = &ExpertsOf(map, likeliest);
    routed.candidates = ByWorth(config, map, *evidence, excluded);
  } else {
    const Right& right = ProbablyRight(config, map, *evidence, excluded);
    const std::string& category = evidence->categories[MostProbablyRight(right, *evidence)];
    routed.category = category;
    routed.wanted = &ExpertsOf(map, category);
    if (several) {
      routed.candidates = ByShare(right, *routed.wanted, excluded);
      routed.shares = true;
    }
  }
  if (routed.candidates.empty()) {
    routed.candidates = InOrder(*routed.wanted, excluded, several);
    routed.shares = several;
  }
  // None of the category's experts can do what the request needs: the generalists may.
  if (routed.candidates.empty()) routed.candidates = InOrder(generalists, excluded, several);
  return routed;
}

}  // namespace pointsman::score
