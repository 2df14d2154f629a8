// config/check.h: what a valid configuration still needs from the file system. Parsing stays pure; `pointsman check`
// and the start of the server do both. Any thread; blocks on the disk.
#pragma once

#include <vector>

#include "config/config.h"
#include "config/problem.h"

namespace pointsman::config {

struct CheckOptions {
  bool checksums = true;  // also compare models with their `sha256`, which reads them whole
};

// Model files (gguf.h), TLS files, the classifier artifact. Sorted by place; empty = nothing is wrong.
std::vector<Problem> Check(const Config& config, const CheckOptions& options = {});

}  // namespace pointsman::config
