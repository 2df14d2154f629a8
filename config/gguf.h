// config/gguf.h: whether a file can be a model, from its header alone: no tensor is read. Any thread; takes
// milliseconds.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"

namespace pointsman::config {

struct GgufInfo {
  std::uint32_t version = 0;  // of the format: 2 or 3
  std::uint64_t tensors = 0;
  std::uint64_t bytes_needed = 0;  // the header and every tensor of a known type
  std::uint64_t file_bytes = 0;
  std::string architecture;          // general.architecture; "" = not given
  std::string name;                  // general.name
  std::uint64_t context_length = 0;  // tokens it was trained for; 0 = not given
  bool chat_template = false;        // tokenizer.chat_template is there
};

// Errors name the file and what is wrong with it: missing, a folder, not readable, not a GGUF file, another version or
// byte order, no tensors, damaged, truncated (with both sizes).
Result<GgufInfo> ReadGguf(const std::filesystem::path& file);

// ReadGguf without the facts: what `check` and the loading of a model ask.
Result<void> CheckModelFile(const std::filesystem::path& file);

}  // namespace pointsman::config
