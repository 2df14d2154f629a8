// backends/engine/llama/load_model.h: a GGUF file as llama.cpp's model: what models that answer and encoders share.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "config/config.h"

struct llama_model;

namespace pointsman::engine {

using Token = std::int32_t;

struct FreeLlamaModel {
  void operator()(llama_model* model) const;
};
using LlamaModel = std::unique_ptr<llama_model, FreeLlamaModel>;

// Checks the file (there, a GGUF, its SHA-256 where one is configured) and loads it. Takes 0.1 to 1 s and more;
// `cancelled` is asked now and then. Every error is a LoadError that names the file and what is wrong with it.
Result<LlamaModel> LoadLlamaModel(const config::Model& config, bool (*cancelled)(void*), void* user);

// "model NAME: what": retryable elsewhere, kFailedPrecondition.
Error LoadError(const config::Model& config, const std::string& what);

// False for encoders, whose tokens look at those behind them too: their file says so.
bool IsCausal(const llama_model* model);

}  // namespace pointsman::engine
