#include "backends/engine/model_file.h"

#include "config/checksum.h"
#include "config/gguf.h"

namespace pointsman::engine {

Result<void> CheckModelFile(const config::Model& model) {
  auto wrong = [&](const std::string& what) {
    return Error(ErrorClass::kRetryElsewhere, Code::kFailedPrecondition, "model " + model.name + ": " + what);
  };
  const Result<void> checked = config::CheckModelFile(model.file);
  if (!checked) return wrong(checked.error().message);
  if (model.sha256.empty()) return {};
  const Result<std::string> sum = config::Sha256OfFile(model.file);
  if (!sum) return wrong(sum.error().message);
  if (*sum != model.sha256) {
    return wrong(model.file.string() + " has the SHA-256 sum " + *sum + ", the configuration says " + model.sha256 +
                 ": get the file again, or correct sha256");
  }
  return {};
}

}  // namespace pointsman::engine
