// backends/engine/embed_client.h: an encoder of the engine worker for one shard: requests that wait at the same time go
// over in one call.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backends/embedder.h"
#include "backends/engine/loop_gate.h"
#include "backends/engine/supervisor.h"

namespace pointsman::engine {

// What waits is sent at the end of the loop's turn, so that requests that came together go together; while kMaxCalls
// calls are under way, it collects. A call ends when its last waiter is gone: the worker then drops its texts. Loop
// thread only. The supervisor must outlive it; its waiters must not.
class EmbedClient final : public backends::Embedder {
 public:
  static constexpr std::size_t kMaxCalls = 2;
  static constexpr std::size_t kMaxTexts = 32;                         // of one call
  static constexpr std::size_t kMaxWaiting = 1024;                     // more are refused with kResourceExhausted
  static constexpr std::size_t kMaxTextBytes = std::size_t{16} << 10;  // no encoder reads more: the rest is not sent

  EmbedClient(Loop& loop, const Supervisor& supervisor, std::string model);
  ~EmbedClient() override;

  Awaitable<Result<backends::Embedding>> Embed(std::string text, Deadline deadline) override;
  std::string Unavailable() const override;

 private:
  struct Waiting;
  struct Call;

  void Flush();
  void Send(std::vector<std::shared_ptr<Waiting>> batch);
  void Abandon(const std::shared_ptr<Waiting>& waiting);

  Loop& loop_;
  const Supervisor& supervisor_;
  const std::string model_;
  const std::shared_ptr<LoopGate> gate_;
  std::vector<std::shared_ptr<Waiting>> waiting_;
  std::size_t calls_ = 0;
  bool flush_posted_ = false;
};

}  // namespace pointsman::engine
