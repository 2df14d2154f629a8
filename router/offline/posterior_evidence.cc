#include "router/offline/posterior_evidence.h"

#include <algorithm>
#include <cmath>

namespace pointsman::offline {

policies::Evidence EvidenceOf(std::span<const std::string> categories, std::span<const float> probabilities) {
  policies::Evidence evidence;
  evidence.categories = categories;
  evidence.probabilities.assign(probabilities.begin(), probabilities.end());
  evidence.likeliest =
      static_cast<std::size_t>(std::max_element(probabilities.begin(), probabilities.end()) - probabilities.begin());
  for (const float p : probabilities) {
    if (p > 0) evidence.entropy -= static_cast<double>(p) * std::log(static_cast<double>(p));
  }
  return evidence;
}

}  // namespace pointsman::offline
