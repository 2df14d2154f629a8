// tests/support/engine_harness.h: a real engine worker under a real supervisor, for tests that are not coroutines.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "backends/engine/engine_backend.h"
#include "backends/engine/supervisor.h"

namespace pointsman::testing {

// POINTSMAN_TEST_MODEL, else build/models/smollm2-135m-instruct-q8_0.gguf of the source tree. Fails the test, with the
// mend, when it is missing.
std::string TestModel();

// The `pointsman` program: POINTSMAN_BINARY, else the one of this build.
std::string TestProgram();

// A model "small" over TestModel().
config::Model SmallModel();

// Waits until `done` returns true; false after `limit`. For conditions that no event announces.
bool Eventually(const std::function<bool()>& done, std::chrono::seconds limit = std::chrono::seconds(200));

struct Answer {
  std::string text;
  std::vector<std::string> chunks;
  std::vector<v1::TokenLogprob> logprobs;
  std::optional<v1::Usage> usage;
  v1::FinishReason finish = v1::FINISH_REASON_UNSPECIFIED;
  std::optional<Error> error;
};

// One user message, greedy.
v1::CompleteRequest Ask(const std::string& question);

class EngineHarness {
 public:
  explicit EngineHarness(std::vector<config::Model> models);
  explicit EngineHarness(engine::SupervisorOptions options);
  ~EngineHarness();

  // Waits until every model is loaded or failed.
  bool Settled();

  // Stops the supervisor; streams under way end by themselves.
  void Stop();

  engine::Supervisor& supervisor() { return *supervisor_; }
  engine::SupervisorOptions options;

  // An expert over `model`, default "small".
  config::Expert Expert(const std::string& model = "small");

  // Runs a request to its end, or until `stop_after` chunks came (the stream is destroyed then).
  std::future<Answer> Start(const v1::CompleteRequest& request, std::size_t stop_after = 0,
                            Deadline deadline = Deadline::max(), std::optional<config::Expert> expert = {});
  Answer Complete(const v1::CompleteRequest& request, std::optional<config::Expert> expert = {});

  // The worker's own counters, asked now. Empty when there is no worker.
  v1::WorkerStatus WorkerStatus();

  // Number of chunks that all requests together got so far.
  std::atomic<std::size_t> chunks_seen = 0;

 private:
  Awaitable<Answer> Run(v1::CompleteRequest request, config::Expert expert, std::size_t stop_after, Deadline deadline);

  Loop loop_{1};
  asio::executor_work_guard<Executor> work_{loop_.get_executor()};
  std::unique_ptr<engine::Supervisor> supervisor_;
  std::thread thread_;
};

}  // namespace pointsman::testing
