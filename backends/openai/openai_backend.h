// backends/openai/openai_backend.h: an expert behind an OpenAI-compatible server (vLLM, SGLang, llama.cpp's server,
// hosted APIs). docs/remote-experts.md says how to configure one and what its errors mean.
#pragma once

#include <memory>
#include <string>

#include "backends/backend.h"
#include "backends/http/multi.h"
#include "backends/http/transfer.h"
#include "backends/openai/json_reader.h"
#include "base/async.h"
#include "config/config.h"

namespace pointsman::openai {

// One expert on one shard. Loop thread only; outlives its streams, and is destroyed before the multi.
class OpenAiBackend final : public backends::Backend {
 public:
  // `expert.backend` holds a config::OpenAiBackend. `expert` must outlive the backend.
  OpenAiBackend(http::Multi& multi, const config::Expert& expert);

  std::unique_ptr<backends::AnswerStream> Open(const v1::CompleteRequest& request, bool stream,
                                               Deadline deadline) override;
  std::string Unavailable() const override { return {}; }

 private:
  friend class OpenAiStream;

  const config::Expert& expert_;
  const config::OpenAiBackend& config_;
  http::Endpoint endpoint_;
  JsonReader reader_;
};

}  // namespace pointsman::openai
