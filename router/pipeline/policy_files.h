// router/pipeline/policy_files.h: everything that policies read from files, loaded and checked.
#pragma once

#include <memory>
#include <vector>

#include "config/config.h"
#include "router/cache/question_matcher.h"
#include "router/classifier/expert_gates.h"
#include "router/classifier/stored_answers.h"
#include "router/pipeline/cascade_gates.h"
#include "router/pipeline/predictions.h"

namespace pointsman::pipeline {

// The gates of a policy with score: gates.
struct PolicyGates {
  std::shared_ptr<const classifier::ExpertGates> gates;  // null: the policy has none
  std::vector<std::size_t> experts;                      // of gate g
};

// When an answer serves a like question; null: never.
struct PolicyMatcher {
  std::shared_ptr<const cache::QuestionMatcher> matcher;
  double threshold = 0;
};

struct PolicyFiles {
  std::vector<PolicyPredictor> predictors;                                // by policy
  std::vector<PolicyGates> gates;                                         // by policy
  std::vector<std::vector<StageGate>> cascades;                           // by policy, then by stage
  std::vector<std::shared_ptr<const classifier::StoredAnswers>> answers;  // by expert; null: it is no copy expert
  std::vector<PolicyMatcher> matchers;                                    // by policy
  std::string checksums;                                                  // of the files that have one, for the version
};

// Adds to `problems` what cannot be read or does not fit. Blocking.
PolicyFiles LoadPolicyFiles(const config::Config& config, std::vector<config::Problem>& problems);

}  // namespace pointsman::pipeline
