// backends/engine/worker/sha256_file.h: is the file the one that the configuration means?
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace pointsman::engine {

// 64 lower-case hex digits. Reads the whole file (about 1 GB/s). Any thread.
Result<std::string> Sha256OfFile(const std::filesystem::path& file);

}  // namespace pointsman::engine
