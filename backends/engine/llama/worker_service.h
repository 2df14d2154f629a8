// backends/engine/llama/worker_service.h: the gRPC surface of the engine worker.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

#include "backends/engine/llama/embedder.h"
#include "backends/engine/llama/scheduler.h"
#include "backends/engine/worker/permits.h"
#include "pointsman/v1/engine.grpc.pb.h"

namespace pointsman::engine {

// gRPC's threads only prepare requests and move bytes; every token is made on the engine thread of its model.
class WorkerService final : public v1::Engine::CallbackService {
 public:
  // Begins to load the models. `cores` = permits that the engine threads share.
  WorkerService(const config::Engine& config, unsigned cores);
  ~WorkerService() override;

  // Stops all engine threads: what runs is aborted, what waits fails with UNAVAILABLE. Watchers are ended.
  void Stop();

  grpc::ServerWriteReactor<v1::GenerateEvent>* Generate(grpc::CallbackServerContext* context,
                                                        const v1::GenerateRequest* request) override;
  grpc::ServerUnaryReactor* Embed(grpc::CallbackServerContext* context, const v1::EmbedRequest* request,
                                  v1::EmbedResponse* response) override;
  grpc::ServerWriteReactor<v1::WorkerStatus>* WatchStatus(grpc::CallbackServerContext* context,
                                                          const v1::WatchStatusRequest* request) override;
  grpc::ServerUnaryReactor* GetWorkerStatus(grpc::CallbackServerContext* context,
                                            const v1::GetWorkerStatusRequest* request,
                                            v1::WorkerStatus* response) override;

  v1::WorkerStatus Status() const;

 private:
  class StatusWatcher;

  void NotifyWatchers();
  std::shared_ptr<Scheduler> FindScheduler(const std::string& model) const;  // null: no such model
  std::shared_ptr<Embedder> FindEmbedder(const std::string& model) const;

  Permits permits_;
  std::mutex watchers_mutex_;
  std::unordered_set<std::shared_ptr<StatusWatcher>> watchers_;
  bool stopped_ = false;
  // Filled by the constructor before any engine thread can report a change; emptied by Stop() alone.
  mutable std::mutex schedulers_mutex_;
  std::vector<std::shared_ptr<Scheduler>> schedulers_;
  std::vector<std::shared_ptr<Embedder>> embedders_;
};

}  // namespace pointsman::engine
