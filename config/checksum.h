// config/checksum.h: SHA-256 sums of files and texts.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pointsman::config {

// 64 lower-case hexadecimal digits. Any thread; a file is read in pieces (about a second for 500 MB).
std::string Sha256Hex(std::string_view text);
Result<std::string> Sha256OfFile(const std::filesystem::path& file);

}  // namespace pointsman::config
