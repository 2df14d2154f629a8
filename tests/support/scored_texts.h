// tests/support/scored_texts.h: made-up requests of three topics, two experts, and an expert's quality that depends on
// the topic: what a predictor should find.
#pragma once

#include <string>
#include <vector>

#include "router/offline/pair_rows.h"

namespace pointsman::testing {

// Rows in a fixed order. "gardens": both experts are right; "stars": only the second is, mostly; "engines": both are
// wrong, mostly. Labels are 0, 1, 2.
std::vector<offline::ScoredRow> ScoredTexts(std::size_t count, std::uint64_t seed = 1);

// The same as lines {"prompt", "domain", "h", "scores": {"small", "large"}}.
std::string ScoredLines(const std::vector<offline::ScoredRow>& rows);

}  // namespace pointsman::testing
