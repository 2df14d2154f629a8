// policies/score/category_map.h: composition of experts (arXiv 2412.01868): the category router names a category, the
// category-to-expert map names the experts. Where the category is uncertain, `general` answers (the paper's robust
// variant; notes on what of this is ours: the map here is written by the operator, with fallbacks in order).
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "policies/evidence.h"

namespace pointsman::score {

inline constexpr char kGeneral[] = "general";

// Where the evidence sends a request: the likeliest category, or `general` when uncertain.
const std::string& CategoryOf(const policies::Evidence& evidence);

// The experts of a category, in fallback order; those of `general` when the map does not name it. Never empty for a
// validated map. Any thread.
const std::vector<std::string>& ExpertsOf(const config::CategoryMap& map, const std::string& category);

}  // namespace pointsman::score
