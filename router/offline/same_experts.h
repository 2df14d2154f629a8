// router/offline/same_experts.h: which experts the outcomes cannot tell apart.
#pragma once

#include <cstddef>
#include <vector>

#include "router/offline/outcomes.h"

namespace pointsman::offline {

// Two experts whose scores on shared requests differ neither over all requests nor in any pattern over categories.
struct SameExperts {
  std::size_t a = 0, b = 0;  // a < b
  std::size_t rows = 0;      // requests that both answered
  double difference = 0;     // mean of a minus b
  double p_overall = 1;      // paired z-test of the mean difference, two-sided
  double p_categories = 1;   // chi-squared test of the categories' mean differences (sum of z^2 over categories)
  double agreement = 0;      // share of the requests with equal scores
  bool duplicate = false;    // agreement >= kDuplicateAgreement: one of them is probably redundant
};

inline constexpr std::size_t kLeastSharedRows = 100;
inline constexpr std::size_t kLeastCategoryRows = 10;  // of a category, to count in p_categories
inline constexpr double kDuplicateAgreement = 0.9;

// All pairs with at least kLeastSharedRows shared requests where both p-values exceed 0.05, most alike (largest
// agreement) first. That a test finds no difference does not prove that there is none: fewer rows find more pairs.
std::vector<SameExperts> FindSameExperts(const Outcomes& outcomes);

}  // namespace pointsman::offline
