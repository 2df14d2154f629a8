// router/offline/experts_file.h: what offline programs must know of the experts besides their outcomes.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace pointsman::offline {

struct ExpertFacts {
  std::string name;
  std::optional<double> active_billion;  // parameters that a token passes through, in billions, > 0
  std::optional<double> total_billion;   // parameters that must be loaded, in billions; default: active_billion
  std::optional<double> price;           // US dollars per million tokens, >= 0
  std::optional<double> p95_ms;          // 95th percentile of the latency, milliseconds, > 0
  std::string licence;                   // SPDX identifier; "" = not known
  std::vector<std::string> regions;      // where it runs; empty = not known
};

// Reads {"experts": [{"name": ..., "active_billion": ..., "total_billion": ..., "price": ..., "p95_ms": ...,
// "licence": ..., "regions": [...]}, ...]}; all but the name may be absent. Errors name the file, and the expert and
// its key: unknown keys, wrong types and ranges, a name twice, no expert; for what is not JSON the line.
Result<std::vector<ExpertFacts>> ReadExpertsFile(const std::filesystem::path& file);

}  // namespace pointsman::offline
