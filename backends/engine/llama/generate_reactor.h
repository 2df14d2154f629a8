// backends/engine/llama/generate_reactor.h: one Generate call: between the engine thread and the stream to the router.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "backends/engine/llama/job.h"
#include "backends/engine/llama/scheduler.h"
#include "pointsman/v1/engine.pb.h"

namespace pointsman::engine {

// What is generated while a write is under way is put together into the next one, so that a slow reader costs memory
// (bounded: generation pauses at kBacklogBytes), never the engine's time. Owns itself until OnDone.
class GenerateReactor final : public grpc::ServerWriteReactor<v1::GenerateEvent>,
                              public AnswerSink,
                              public std::enable_shared_from_this<GenerateReactor> {
 public:
  static constexpr std::size_t kBacklogBytes = 256 << 10;

  // `scheduler` may be null: the call only fails then.
  static std::shared_ptr<GenerateReactor> Make(std::shared_ptr<Scheduler> scheduler);

  // AnswerSink: engine thread, or the thread that refused the request.
  void Emit(std::string text, std::vector<v1::TokenLogprob> tokens) override;
  void Finish(v1::FinishReason reason, const v1::Usage& usage) override;
  void Fail(Error error) override;
  bool Writable() const override;

  // gRPC's threads.
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  explicit GenerateReactor(std::shared_ptr<Scheduler> scheduler) : scheduler_(std::move(scheduler)) {}

  // Starts the next write, or ends the call. Takes the lock over and releases it before it calls gRPC, which may call
  // back at once.
  void Proceed(std::unique_lock<std::mutex> lock);

  const std::shared_ptr<Scheduler> scheduler_;
  std::shared_ptr<GenerateReactor> self_;  // until OnDone

  mutable std::mutex mutex_;
  v1::GenerateEvent current_;  // being written
  v1::GenerateEvent next_;
  std::size_t next_bytes_ = 0;
  bool has_next_ = false;
  bool writing_ = false;
  bool broken_ = false;  // a write failed: nothing more can be sent
  bool finished_ = false;
  std::optional<grpc::Status> end_;
};

}  // namespace pointsman::engine
