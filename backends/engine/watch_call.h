// backends/engine/watch_call.h: the router's view of the worker's models: a stream of their states, and now and then
// their counters.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>

#include "backends/engine/loop_gate.h"
#include "pointsman/v1/engine.grpc.pb.h"

namespace pointsman::engine {

// One WatchStatus call. Owns itself until gRPC is done with it. Ends with the worker, or by Cancel().
class WatchCall final : public grpc::ClientReadReactor<v1::WorkerStatus> {
 public:
  // `changed` gets every message, on the gate's loop.
  static std::shared_ptr<WatchCall> Start(const std::shared_ptr<grpc::Channel>& channel, std::shared_ptr<LoopGate> gate,
                                          std::function<void(const v1::WorkerStatus&)> changed);

  // Any thread.
  void Cancel() { context_.TryCancel(); }

  void OnReadDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  WatchCall(const std::shared_ptr<grpc::Channel>& channel, std::shared_ptr<LoopGate> gate,
            std::function<void(const v1::WorkerStatus&)> changed);

  const std::unique_ptr<v1::Engine::Stub> stub_;
  const std::shared_ptr<LoopGate> gate_;
  const std::function<void(const v1::WorkerStatus&)> changed_;
  grpc::ClientContext context_;
  v1::WatchStatusRequest request_;
  v1::WorkerStatus message_;
  std::shared_ptr<WatchCall> self_;
};

// One GetWorkerStatus call with a deadline of 5 s; `done` gets the answer on the gate's loop, null when there was none.
void PollStatus(const std::shared_ptr<grpc::Channel>& channel, std::shared_ptr<LoopGate> gate,
                std::function<void(const v1::WorkerStatus*)> done);

}  // namespace pointsman::engine
