// backends/engine/model_file.h: is a model's file there, whole, and the one that the configuration means? Checked by
// the worker before llama.cpp sees the file, because llama.cpp may end its process on a bad one.
#pragma once

#include "base/result.h"
#include "config/config.h"

namespace pointsman::engine {

// The checks of config/gguf.h, and the SHA-256 sum where model.sha256 is set, for which the whole file is read. Errors
// (kFailedPrecondition) name the model, the file and the mend. Any thread.
Result<void> CheckModelFile(const config::Model& model);

}  // namespace pointsman::engine
