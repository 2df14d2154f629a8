#include "backends/engine/watch_call.h"

#include <chrono>
#include <utility>

namespace pointsman::engine {

WatchCall::WatchCall(const std::shared_ptr<grpc::Channel>& channel, std::shared_ptr<LoopGate> gate,
                     std::function<void(const v1::WorkerStatus&)> changed)
    : stub_(v1::Engine::NewStub(channel)), gate_(std::move(gate)), changed_(std::move(changed)) {}

std::shared_ptr<WatchCall> WatchCall::Start(const std::shared_ptr<grpc::Channel>& channel,
                                            std::shared_ptr<LoopGate> gate,
                                            std::function<void(const v1::WorkerStatus&)> changed) {
  std::shared_ptr<WatchCall> call(new WatchCall(channel, std::move(gate), std::move(changed)));
  call->self_ = call;
  call->stub_->async()->WatchStatus(&call->context_, &call->request_, call.get());
  call->StartRead(&call->message_);
  call->StartCall();
  return call;
}

void WatchCall::OnReadDone(bool ok) {
  if (!ok) return;
  auto deliver = [changed = changed_, message = message_] { changed(message); };
  gate_->Post(std::move(deliver));
  StartRead(&message_);
}

void WatchCall::OnDone(const grpc::Status&) { self_.reset(); }

void PollStatus(const std::shared_ptr<grpc::Channel>& channel, std::shared_ptr<LoopGate> gate,
                std::function<void(const v1::WorkerStatus*)> done) {
  struct Call {
    std::unique_ptr<v1::Engine::Stub> stub;
    grpc::ClientContext context;
    v1::GetWorkerStatusRequest request;
    v1::WorkerStatus response;
  };
  auto call = std::make_shared<Call>();
  call->stub = v1::Engine::NewStub(channel);
  call->context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
  auto finished = [call, gate = std::move(gate), done = std::move(done)](const grpc::Status& status) {
    gate->Post([call, done, ok = status.ok()] { done(ok ? &call->response : nullptr); });
  };
  call->stub->async()->GetWorkerStatus(&call->context, &call->request, &call->response, std::move(finished));
}

}  // namespace pointsman::engine
