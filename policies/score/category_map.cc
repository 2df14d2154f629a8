#include "policies/score/category_map.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace pointsman::score {
namespace {

using policies::Candidate;
using policies::Evidence;

constexpr double kNegligible = 0.01;  // all categories that are passed over together are less probable than this

const std::vector<std::string>& ExpertsOf(const config::CategoryMap& map, const std::string& category) {
  auto it = map.experts.find(category);
  return it != map.experts.end() ? it->second : map.experts.at(kGeneral);
}

std::size_t IndexOf(const config::Config& config, const std::string& name) {
  return static_cast<std::size_t>(config.FindExpert(name) - config.experts.data());
}

std::optional<std::size_t> FirstLeft(const config::Config& config, const std::vector<std::string>& names,
                                     const std::vector<bool>& excluded) {
  for (const std::string& name : names) {
    const std::size_t expert = IndexOf(config, name);
    if (!excluded[expert]) return expert;
  }
  return std::nullopt;
}

// Calls `visit(category index, probability)` for all categories that matter.
template <class Visit>
void ForEach(const Evidence& evidence, Visit visit) {
  const double least = kNegligible / static_cast<double>(evidence.probabilities.size());
  for (std::size_t c = 0; c < evidence.probabilities.size(); ++c) {
    if (evidence.probabilities[c] >= least) visit(c, static_cast<double>(evidence.probabilities[c]));
  }
}

std::vector<Candidate> ByWorth(const config::CategoryMap& map, const Evidence& evidence,
                               const std::vector<bool>& excluded) {
  const std::vector<double>& general = map.worth.at(kGeneral);
  std::vector<double> worth(general.size(), 0);
  double total = 0;
  ForEach(evidence, [&](std::size_t c, double probability) {
    auto it = map.worth.find(evidence.categories[c]);
    const std::vector<double>& row = it != map.worth.end() ? it->second : general;
    for (std::size_t e = 0; e < worth.size(); ++e) worth[e] += probability * row[e];
    total += probability;
  });
  std::vector<Candidate> candidates;
  for (std::size_t e = 0; e < worth.size(); ++e) {
    if (!excluded[e] && !std::isnan(worth[e])) candidates.push_back({e, worth[e] / total});
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
  return candidates;
}

// The category whose first expert is most probably the right one.
std::string MostProbablyRight(const config::Config& config, const config::CategoryMap& map, const Evidence& evidence,
                              const std::vector<bool>& excluded) {
  std::vector<double> right(config.experts.size(), 0);
  std::vector<std::pair<std::size_t, std::size_t>> first;  // category, expert
  ForEach(evidence, [&](std::size_t c, double probability) {
    auto expert = FirstLeft(config, ExpertsOf(map, evidence.categories[c]), excluded);
    if (!expert) expert = FirstLeft(config, map.experts.at(kGeneral), excluded);
    if (!expert) return;
    right[*expert] += probability;
    first.emplace_back(c, *expert);
  });
  const auto best = static_cast<std::size_t>(std::max_element(right.begin(), right.end()) - right.begin());
  std::size_t category = evidence.likeliest;
  float most = -1;
  for (const auto& [c, expert] : first) {
    if (expert != best || evidence.probabilities[c] <= most) continue;
    most = evidence.probabilities[c];
    category = c;
  }
  return evidence.categories[category];
}

}  // namespace

std::vector<Candidate> InOrder(const config::Config& config, const std::vector<std::string>& names,
                               const std::vector<bool>& excluded) {
  std::vector<Candidate> candidates;
  for (std::size_t r = 0; r < names.size(); ++r) {
    const std::size_t expert = IndexOf(config, names[r]);
    if (!excluded[expert]) {
      candidates.push_back({expert, 1.0 - static_cast<double>(r) / static_cast<double>(names.size())});
    }
  }
  return candidates;
}

Routed ByCategory(const config::Config& config, const config::CategoryMap& map, const Evidence* evidence,
                  const std::vector<bool>& excluded) {
  Routed routed;
  const bool general = evidence == nullptr || evidence->categories.empty() || evidence->foreign || evidence->mixed ||
                       (evidence->uncertain && map.uncertain == config::Uncertain::kGeneral);
  if (general) {
    routed.category = kGeneral;
  } else if (!map.worth.empty()) {
    routed.category = evidence->categories[evidence->likeliest];
    routed.candidates = ByWorth(map, *evidence, excluded);
  } else {
    routed.category = MostProbablyRight(config, map, *evidence, excluded);
  }
  routed.wanted = ExpertsOf(map, routed.category);
  if (routed.candidates.empty()) routed.candidates = InOrder(config, routed.wanted, excluded);
  if (routed.candidates.empty()) {
    // None of the category's experts can do what the request needs: the generalists may.
    const std::vector<std::string>& generalists = map.experts.at(kGeneral);
    routed.candidates = InOrder(config, generalists, excluded);
    routed.wanted.insert(routed.wanted.end(), generalists.begin(), generalists.end());
  }
  return routed;
}

}  // namespace pointsman::score
