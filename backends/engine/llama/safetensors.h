// backends/engine/llama/safetensors.h: weights as the safetensors format keeps them: 8 bytes length, a JSON table,
// data.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pointsman::engine {

struct SafeTensor {
  std::string type;                 // "F32", "I64", ...
  std::vector<std::int64_t> shape;  // rows first, as PyTorch says it; sizes of at least 1
  std::string_view data;            // little-endian, in the file's bytes
};

// A whole file in memory. Immutable; any thread. Moving it keeps the views valid.
class SafeTensors {
 public:
  // Errors (kFailedPrecondition) name the file: missing, cut short, a table that is not one, a tensor outside the file
  // or of another size than its shape says.
  static Result<SafeTensors> Read(const std::filesystem::path& file);

  const std::map<std::string, SafeTensor, std::less<>>& tensors() const { return tensors_; }

 private:
  std::vector<char> bytes_;
  std::map<std::string, SafeTensor, std::less<>> tensors_;
};

}  // namespace pointsman::engine
