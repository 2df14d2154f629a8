#include "backends/engine/llama/load_model.h"

#include <llama.h>

#include <array>

#include "backends/engine/llama/library.h"
#include "backends/engine/model_file.h"

namespace pointsman::engine {
namespace {

struct Progress {
  bool (*cancelled)(void*);
  void* user;
};

std::string Meta(const llama_model* model, const std::string& key) {
  std::array<char, 64> text{};
  return llama_model_meta_val_str(model, key.c_str(), text.data(), text.size()) < 0 ? "" : text.data();
}

}  // namespace

void FreeLlamaModel::operator()(llama_model* model) const { llama_model_free(model); }

Error LoadError(const config::Model& config, const std::string& what) {
  return {ErrorClass::kRetryElsewhere, Code::kFailedPrecondition, "model " + config.name + ": " + what};
}

bool IsCausal(const llama_model* model) {
  return Meta(model, Meta(model, "general.architecture") + ".attention.causal") != "false";
}

Result<LlamaModel> LoadLlamaModel(const config::Model& config, bool (*cancelled)(void*), void* user) {
  InitLlama();
  if (auto ok = CheckModelFile(config); !ok) return ok.error();

  Progress progress{cancelled, user};
  llama_model_params params = llama_model_default_params();
  params.n_gpu_layers = 0;
  params.progress_callback = [](float, void* p) {
    auto* progress = static_cast<Progress*>(p);
    return !progress->cancelled(progress->user);
  };
  params.progress_callback_user_data = &progress;

  LlamaModel model;
  LogCapture log;
  try {
    model.reset(llama_model_load_from_file(config.file.c_str(), params));
  } catch (const std::exception& e) {
    return LoadError(config, config.file.string() + " cannot be loaded: " + e.what());
  }
  if (model == nullptr) {
    if (cancelled(user)) return LoadError(config, "loading was stopped");
    return LoadError(config, config.file.string() + " cannot be loaded: " + log.Text("llama.cpp gives no reason"));
  }
  return model;
}

}  // namespace pointsman::engine
