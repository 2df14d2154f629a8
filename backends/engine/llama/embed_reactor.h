// backends/engine/llama/embed_reactor.h: one Embed call: between the engine thread and gRPC.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>

#include "backends/engine/llama/embedder.h"
#include "pointsman/v1/engine.pb.h"

namespace pointsman::engine {

// Owns itself until OnDone.
class EmbedReactor final : public grpc::ServerUnaryReactor, public EmbedSink {
 public:
  // `embedder` may be null: the call only fails then. `response` is gRPC's and lives until OnDone.
  static std::shared_ptr<EmbedReactor> Make(std::shared_ptr<Embedder> embedder, v1::EmbedResponse* response);

  // EmbedSink: the engine thread, or the thread that refused the request.
  void Finish(std::vector<v1::Embedding> embeddings) override;
  void Fail(Error error) override;

  // gRPC's threads.
  void OnCancel() override;
  void OnDone() override { self_.reset(); }

 private:
  EmbedReactor(std::shared_ptr<Embedder> embedder, v1::EmbedResponse* response)
      : embedder_(std::move(embedder)), response_(response) {}

  const std::shared_ptr<Embedder> embedder_;
  v1::EmbedResponse* const response_;
  std::shared_ptr<EmbedReactor> self_;  // until OnDone
};

}  // namespace pointsman::engine
