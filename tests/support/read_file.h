// tests/support/read_file.h: a file's text; throws when it cannot be read.
#pragma once

#include <filesystem>
#include <string>

namespace pointsman::testing {

std::string ReadFile(const std::filesystem::path& file);
// A file of the source tree, as in "docs/metrics.md".
std::filesystem::path SourceFile(const std::filesystem::path& file);

}  // namespace pointsman::testing
