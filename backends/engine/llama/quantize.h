// backends/engine/llama/quantize.h: a GGUF file in another number format.
#pragma once

#include <filesystem>
#include <functional>

#include "base/result.h"

namespace pointsman::engine {

// Writes `in` as Q8_0 to `out`: twice the prompt speed of Q4_1, which has no fast kernels (docs/engine.md). Works in a
// temporary file beside `out` and renames it at the end, so that `out` is whole whenever it exists. `progress` gets the
// bytes written so far about five times a second. Takes 0.5 s for 135 million parameters.
Result<void> Requantize(const std::filesystem::path& in, const std::filesystem::path& out,
                        const std::function<void(std::uintmax_t bytes)>& progress);

}  // namespace pointsman::engine
