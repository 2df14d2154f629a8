// backends/engine/llama/bench.h: how fast a model is through the engine's own path: scheduler, slots, sampling and all.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace pointsman::engine {

struct BenchOptions {
  std::filesystem::path file;
  unsigned threads = 0;  // 0 = all cores
  unsigned prompt_chunk = 128;
  unsigned prompt = 128;  // tokens
  unsigned decode = 128;  // tokens a sequence
  unsigned repeats = 3;   // the best counts
};

struct BenchLine {
  std::string what;    // "prompt" or "decode"
  unsigned sequences;  // at once
  double tokens_per_second;
};

// Random prompts, greedy answers. Takes seconds to minutes; `progress` gets every line when it is measured.
Result<std::vector<BenchLine>> RunBench(const BenchOptions& options,
                                        const std::function<void(const BenchLine&)>& progress);

}  // namespace pointsman::engine
