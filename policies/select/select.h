// policies/select/select.h: scores -> probabilities -> the experts that are asked.
#pragma once

#include <cstddef>
#include <vector>

#include "config/config.h"
#include "policies/choose.h"
#include "policies/plan.h"

namespace pointsman::select {

// Fills in the probabilities: the scores themselves where they are `shares` of 1, else the softmax of score /
// temperature over the candidates (arXiv 2402.05859, section 3.2; 2403.07652, equation 1). `candidates` are best first.
void ToProbabilities(const config::Selection& rule, bool shares, std::vector<policies::Candidate>& candidates);

struct Selected {
  std::size_t count = 0;     // candidates from the front
  double mass = 0;           // p of top_p
  bool over_budget = false;  // the budget allowed another set than the rule alone
};

// Selects by the policy's rule, under its budget, and puts the selected ones in front, best first; the others follow in
// their order. At least one: each candidate alone keeps the budget. `candidates` have probabilities and are best first.
Selected Select(const config::Config& config, const config::Policy& policy, const policies::RequestFacts& facts,
                std::vector<policies::Candidate>& candidates);

}  // namespace pointsman::select
