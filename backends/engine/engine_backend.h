// backends/engine/engine_backend.h: an expert of the local engine: a model of the worker, a system prompt, sampling
// defaults.
#pragma once

#include <memory>
#include <string>

#include "backends/backend.h"
#include "backends/engine/loop_gate.h"
#include "backends/engine/supervisor.h"

namespace pointsman::engine {

// One shard's view of one expert. Loop thread only. The supervisor must outlive it; its streams must not.
class EngineBackend final : public backends::Backend {
 public:
  // `expert.backend` must be a LocalBackend.
  EngineBackend(Loop& loop, const Supervisor& supervisor, const config::Expert& expert);
  ~EngineBackend() override;

  // Error classes of the stream: kRetryElsewhere when the worker is gone, starting or full, when the model failed to
  // load, and when the prompt does not suit it (too long, or refused by its template: kInvalidArgument);
  // kCallersFault for a schema or grammar that cannot be used; kCancelled.
  std::unique_ptr<backends::AnswerStream> Open(const v1::CompleteRequest& request, bool stream,
                                               Deadline deadline) override;

  std::string Unavailable() const override;

 private:
  Loop& loop_;
  const Supervisor& supervisor_;
  const std::shared_ptr<LoopGate> gate_;
  const std::string model_;
  const std::string system_;
  const config::SamplingDefaults sampling_;
};

}  // namespace pointsman::engine
