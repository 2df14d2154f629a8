// tests/support/faq.h: questions to a shop with few answers, and a matcher of them.
#pragma once

#include <filesystem>
#include <string>

#include "tests/support/temp_dir.h"

namespace pointsman::testing {

// JSON lines {"text", "label"}: 8 answers with 72 wordings each.
std::string FaqRows();

// Tunes a matcher on them, with the shipped token vectors, into folder/faq.pmc. Seconds.
std::filesystem::path FaqMatcher(const TempDir& folder);

}  // namespace pointsman::testing
