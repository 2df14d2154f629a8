// backends/engine/supervisor.h: starts the engine worker, watches it, starts it again when it ends, and knows the state
// of its models.
#pragma once

#include <grpcpp/channel.h>

#include <atomic>
#include <boost/asio/basic_waitable_timer.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backends/engine/child_process.h"
#include "backends/engine/loop_gate.h"
#include "base/async.h"
#include "base/result.h"
#include "config/config.h"
#include "pointsman/v1/admin.pb.h"
#include "pointsman/v1/engine.pb.h"

namespace pointsman::engine {

class WatchCall;

struct SupervisorOptions {
  config::Engine engine;
  std::filesystem::path program = "/proc/self/exe";   // run as `program engine --socket S --config F ...`
  std::optional<std::vector<std::string>> arguments;  // instead of those: for tests
  std::chrono::milliseconds backoff_min{100};         // before the first restart; doubles up to
  std::chrono::milliseconds backoff_max{10'000};
  std::chrono::milliseconds stable{60'000};    // a worker that lived this long starts over at backoff_min
  std::chrono::milliseconds stop_wait{5'000};  // from SIGTERM to SIGKILL
  std::chrono::milliseconds poll{500};         // how old the counters of Status() may be
};

// All its work is done on one loop, whose thread must live as long as the worker should (the worker dies with it), and
// which must outlive the supervisor.
class Supervisor {
 public:
  Supervisor(Loop& loop, SupervisorOptions options);

  // Kills a worker that still runs. On the loop's thread, or when the loop does not run any more.
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // Begins; from any thread, once. Does nothing when the configuration has no models (the state is "off" then).
  void Start();

  // SIGTERM, then SIGKILL after stop_wait; returns when the worker is gone. Loop thread. Calls under way end with
  // errors.
  Awaitable<void> Stop();

  // What is known now, counters included. Any thread.
  v1::EngineStatus Status() const;

  // The worker's channel; null while it does not serve. Any thread.
  std::shared_ptr<grpc::Channel> channel() const;

  // Empty when this model can take requests, as far as is known; else why not. Any thread.
  std::string Unavailable(const std::string& model) const;

  // Every model is loaded or has failed for good. Any thread.
  bool Settled() const;

 private:
  using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor>;
  struct View {
    v1::EngineStatus status;
    std::shared_ptr<grpc::Channel> channel;
  };

  Awaitable<void> Run();
  Awaitable<void> RunOnce(std::string& error);
  Awaitable<void> Connect(ChildProcess& child, std::string socket);
  Result<std::filesystem::path> PrivateDirectory();
  Result<ChildProcess> Spawn(const std::string& socket);
  void Publish();
  void Poll();
  void OnModels(unsigned incarnation, const v1::WorkerStatus& status);
  void Disconnect();

  Loop& loop_;
  const SupervisorOptions options_;
  const std::shared_ptr<LoopGate> gate_;

  // Loop thread only.
  std::filesystem::path directory_;
  View now_;
  ChildProcess* child_ = nullptr;
  std::shared_ptr<WatchCall> watch_;
  unsigned incarnation_ = 0;
  bool stopping_ = false;
  bool running_ = false;
  bool was_ready_ = false;
  Timer backoff_timer_;
  Timer stopped_timer_;  // cancelled when Run() has ended

  std::atomic<std::shared_ptr<const View>> published_;
};

}  // namespace pointsman::engine
