// backends/engine/generate_call.h: one Generate call of the router, between gRPC's threads and the event loop.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <boost/asio/basic_waitable_timer.hpp>
#include <memory>
#include <optional>

#include "backends/backend.h"
#include "backends/engine/loop_gate.h"
#include "base/async.h"
#include "pointsman/v1/engine.grpc.pb.h"

namespace pointsman::engine {

// Lives until both the stream and gRPC are done with it, in either order. Loop thread only, but for the reactions,
// which only post. Reading stops while more than kBacklogBytes wait for the client; the worker notices and pauses.
class GenerateCall final : public grpc::ClientReadReactor<v1::GenerateEvent> {
 public:
  static constexpr std::size_t kBacklogBytes = 64 << 10;

  // `deadline` on the steady clock, max() = none.
  static std::shared_ptr<GenerateCall> Start(Loop& loop, std::shared_ptr<LoopGate> gate,
                                             const std::shared_ptr<grpc::Channel>& channel, v1::GenerateRequest request,
                                             Deadline deadline);

  // What has come since the last call, as one chunk; waits when there is nothing. As AnswerStream::Next.
  Awaitable<Result<backends::Chunk>> Next();

  // Nobody will call Next() any more: the worker stops the generation.
  void Abandon();

  // gRPC's threads.
  void OnReadDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  GenerateCall(Loop& loop, std::shared_ptr<LoopGate> gate, const std::shared_ptr<grpc::Channel>& channel,
               v1::GenerateRequest request);

  void Read();
  void Release();
  void Take(v1::GenerateEvent event);

  const std::shared_ptr<LoopGate> gate_;
  const std::unique_ptr<v1::Engine::Stub> stub_;
  grpc::ClientContext context_;
  const v1::GenerateRequest request_;
  v1::GenerateEvent event_;             // being read
  std::shared_ptr<GenerateCall> self_;  // until OnDone
  std::atomic<bool> held_ = true;       // reads are started from outside reactions: gRPC must wait for Release()

  // Loop thread.
  backends::Chunk pending_;
  std::size_t pending_bytes_ = 0;
  bool has_pending_ = false;
  bool reading_ = false;
  bool abandoned_ = false;
  std::optional<grpc::Status> status_;
  asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor> wake_;
};

}  // namespace pointsman::engine
