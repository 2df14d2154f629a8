// router/offline/posterior_evidence.h: a category distribution as the evidence that policies read.
#pragma once

#include <span>
#include <string>

#include "policies/evidence.h"

namespace pointsman::offline {

// Evidence of a request that is certain enough for its distribution to count: neither foreign nor mixed.
// `categories` must outlive it; `probabilities` has a value for each of them, sum 1.
policies::Evidence EvidenceOf(std::span<const std::string> categories, std::span<const float> probabilities);

}  // namespace pointsman::offline
