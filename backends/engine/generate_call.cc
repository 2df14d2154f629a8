#include "backends/engine/generate_call.h"

#include <boost/asio/redirect_error.hpp>
#include <utility>

#include "backends/engine/wire_error.h"

namespace pointsman::engine {

GenerateCall::GenerateCall(Loop& loop, std::shared_ptr<LoopGate> gate, const std::shared_ptr<grpc::Channel>& channel,
                           v1::GenerateRequest request)
    : gate_(std::move(gate)),
      stub_(v1::Engine::NewStub(channel)),
      request_(std::move(request)),
      wake_(loop.get_executor(), Deadline::max()) {}

std::shared_ptr<GenerateCall> GenerateCall::Start(Loop& loop, std::shared_ptr<LoopGate> gate,
                                                  const std::shared_ptr<grpc::Channel>& channel,
                                                  v1::GenerateRequest request, Deadline deadline) {
  std::shared_ptr<GenerateCall> call(new GenerateCall(loop, std::move(gate), channel, std::move(request)));
  call->self_ = call;
  if (deadline != Deadline::max()) {
    call->context_.set_deadline(
        std::chrono::system_clock::now() +
        std::chrono::duration_cast<std::chrono::system_clock::duration>(deadline - Clock::now()));
  }
  call->stub_->async()->Generate(&call->context_, &call->request_, call.get());
  call->AddHold();
  call->Read();
  call->StartCall();
  return call;
}

void GenerateCall::Read() {
  reading_ = true;
  StartRead(&event_);
}

void GenerateCall::Release() {
  if (held_.exchange(false)) RemoveHold();
}

void GenerateCall::OnReadDone(bool ok) {
  if (!ok) return Release();  // the status follows
  auto take = [this, self = self_, event = std::move(event_)]() mutable { Take(std::move(event)); };
  if (!gate_->Post(std::move(take))) {
    context_.TryCancel();
    Release();
  }
}

void GenerateCall::OnDone(const grpc::Status& status) {
  const auto self = std::exchange(self_, nullptr);
  auto end = [self, status] {
    self->status_ = status;
    self->wake_.cancel();
  };
  gate_->Post(std::move(end));
}

void GenerateCall::Take(v1::GenerateEvent event) {
  reading_ = false;
  if (abandoned_) return Release();
  pending_bytes_ += event.ByteSizeLong();
  pending_.text += event.text();
  for (v1::TokenLogprob& token : *event.mutable_tokens()) pending_.logprobs.push_back(std::move(token));
  if (event.has_usage()) pending_.usage = event.usage();
  pending_.finish = event.finish_reason();
  has_pending_ = true;
  if (pending_bytes_ < kBacklogBytes) Read();
  wake_.cancel();
}

Awaitable<Result<backends::Chunk>> GenerateCall::Next() {
  boost::system::error_code ec;
  while (!has_pending_ && !status_) {
    wake_.expires_at(Deadline::max());
    co_await wake_.async_wait(asio::redirect_error(kAwait, ec));
  }
  if (has_pending_) {
    has_pending_ = false;
    pending_bytes_ = 0;
    backends::Chunk chunk = std::exchange(pending_, {});
    if (!reading_ && !status_ && held_) Read();
    co_return chunk;
  }
  if (status_->ok()) co_return Unavailable("the engine worker ended the stream without a finish reason");
  co_return FromWire(*status_);
}

void GenerateCall::Abandon() {
  if (std::exchange(abandoned_, true)) return;
  context_.TryCancel();
  if (!reading_) Release();
}

}  // namespace pointsman::engine
