#include "backends/engine/llama/embed_reactor.h"

#include <utility>

#include "backends/engine/wire_error.h"

namespace pointsman::engine {

std::shared_ptr<EmbedReactor> EmbedReactor::Make(std::shared_ptr<Embedder> embedder, v1::EmbedResponse* response) {
  std::shared_ptr<EmbedReactor> reactor(new EmbedReactor(std::move(embedder), response));
  reactor->self_ = reactor;
  return reactor;
}

void EmbedReactor::Finish(std::vector<v1::Embedding> embeddings) {
  for (v1::Embedding& embedding : embeddings) *response_->add_embeddings() = std::move(embedding);
  grpc::ServerUnaryReactor::Finish(grpc::Status::OK);
}

void EmbedReactor::Fail(Error error) { grpc::ServerUnaryReactor::Finish(ToWire(error)); }

void EmbedReactor::OnCancel() {
  cancelled = true;
  if (embedder_ != nullptr) embedder_->Wake();
}

}  // namespace pointsman::engine
