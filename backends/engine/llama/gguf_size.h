// backends/engine/llama/gguf_size.h: how long a GGUF file must be, by its own table of tensors.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/result.h"

namespace pointsman::engine {

// Bytes. Reads the metadata only. The error's message continues a sentence that begins with the file's name. Any
// thread.
Result<std::uintmax_t> GgufSize(const std::filesystem::path& file);

}  // namespace pointsman::engine
