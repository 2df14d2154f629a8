#include "backends/engine/model_file.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "backends/engine/worker/sha256_file.h"
#ifdef POINTSMAN_LOCAL_ENGINE
#include "backends/engine/llama/gguf_size.h"
#endif

namespace pointsman::engine {
namespace {

Error Wrong(const config::Model& model, const std::string& what) {
  return {ErrorClass::kRetryElsewhere, Code::kFailedPrecondition, "model " + model.name + ": " + what};
}

bool SameHex(const std::string& lower, const std::string& any) {
  return std::equal(lower.begin(), lower.end(), any.begin(), any.end(),
                    [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); });
}

}  // namespace

Result<void> CheckModelFile(const config::Model& model) {
  const std::string file = model.file.string();
  std::error_code ec;
  const auto status = std::filesystem::status(model.file, ec);
  if (status.type() == std::filesystem::file_type::not_found) return Wrong(model, file + " does not exist");
  if (ec) return Wrong(model, file + ": " + ec.message());
  if (std::filesystem::is_directory(status)) return Wrong(model, file + " is a directory, not a GGUF file");
  std::ifstream in(model.file, std::ios::binary);
  if (!in) return Wrong(model, file + " cannot be opened: " + std::strerror(errno));
  char magic[4] = {};
  in.read(magic, sizeof magic);
  if (in.gcount() != sizeof magic || std::memcmp(magic, "GGUF", sizeof magic) != 0) {
    return Wrong(model, file + " is not a GGUF file (it does not begin with \"GGUF\")");
  }
#ifdef POINTSMAN_LOCAL_ENGINE
  const Result<std::uintmax_t> need = GgufSize(model.file);
  if (!need) return Wrong(model, file + " " + need.error().message);
  const std::uintmax_t size = std::filesystem::file_size(model.file, ec);
  if (!ec && size < *need) {
    return Wrong(model, file + " is cut short: it has " + std::to_string(size) + " bytes, its table of tensors needs " +
                            std::to_string(*need) + ": get the file again");
  }
#endif
  if (!model.sha256.empty()) {
    const Result<std::string> sum = Sha256OfFile(model.file);
    if (!sum) return Wrong(model, sum.error().message);
    if (!SameHex(*sum, model.sha256)) {
      return Wrong(model, file + " has SHA-256 " + *sum + ", the configuration says " + model.sha256 +
                              ": get the file again, or mend `sha256`");
    }
  }
  return {};
}

}  // namespace pointsman::engine
