// backends/engine/model_file.h: is a model's file there, whole, and the one that the configuration means? The same
// words for `pointsman check` and for the worker that loads it.
#pragma once

#include "base/result.h"
#include "config/config.h"

namespace pointsman::engine {

// Reads the header only, and the whole file where config.sha256 is set. In builds with the local engine it also reads
// the file's table of tensors and compares it with the file's size: a download that broke off is found here. Errors
// (kFailedPrecondition) name the model, the file and the mend. Any thread.
Result<void> CheckModelFile(const config::Model& model);

}  // namespace pointsman::engine
