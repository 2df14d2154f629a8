#include "tests/support/engine_harness.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <cstdlib>
#include <exception>

#include "pointsman/v1/engine.grpc.pb.h"

namespace pointsman::testing {

std::string TestModel() {
  const char* set = std::getenv("POINTSMAN_TEST_MODEL");
  std::string path = set != nullptr ? set : POINTSMAN_SOURCE_DIR "/build/models/smollm2-135m-instruct-q8_0.gguf";
  if (!std::filesystem::exists(path)) {
    ADD_FAILURE() << "the test model is missing: " << path
                  << "\nscripts/bootstrap makes it; or set POINTSMAN_TEST_MODEL";
  }
  return path;
}

std::string TestProgram() {
  const char* set = std::getenv("POINTSMAN_BINARY");
  return set != nullptr ? set : POINTSMAN_PROGRAM;
}

config::Model SmallModel() {
  config::Model model;
  model.name = "small";
  model.file = TestModel();
  model.context = 1024;
  model.slots = 4;
  model.threads = 1;  // more of them crawl when something else wants the cores
  return model;
}

bool Eventually(const std::function<bool()>& done, std::chrono::seconds limit) {
  const auto end = Clock::now() + limit;
  while (!done()) {
    if (Clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

v1::CompleteRequest Ask(const std::string& question) {
  v1::CompleteRequest request;
  v1::Message* message = request.add_messages();
  message->set_role(v1::ROLE_USER);
  message->add_parts()->set_text(question);
  request.mutable_sampling()->set_temperature(0);
  return request;
}

namespace {

// asio::use_future is not used: g++ 12 takes it for uninitialised in sanitizer builds.
template <class T>
std::future<T> Spawn(Loop& loop, Awaitable<T> work) {
  auto promise = std::make_shared<std::promise<T>>();
  asio::co_spawn(loop, std::move(work), [promise](std::exception_ptr thrown, auto... value) {
    if (thrown != nullptr) {
      promise->set_exception(thrown);
    } else {
      promise->set_value(std::move(value)...);
    }
  });
  return promise->get_future();
}

engine::SupervisorOptions OptionsFor(std::vector<config::Model> models) {
  engine::SupervisorOptions options;
  options.engine.models = std::move(models);
  options.program = TestProgram();
  return options;
}

}  // namespace

EngineHarness::EngineHarness(std::vector<config::Model> models) : EngineHarness(OptionsFor(std::move(models))) {}

EngineHarness::EngineHarness(engine::SupervisorOptions given)
    : options(given), supervisor_(std::make_unique<engine::Supervisor>(loop_, std::move(given))) {
  thread_ = std::thread([this] { loop_.run(); });
  supervisor_->Start();
}

void EngineHarness::Stop() { Spawn(loop_, supervisor_->Stop()).get(); }

EngineHarness::~EngineHarness() {
  Stop();
  work_.reset();
  loop_.stop();
  thread_.join();
  supervisor_.reset();
}

bool EngineHarness::Settled() {
  return Eventually([&] { return supervisor_->Settled(); });
}

config::Expert EngineHarness::Expert(const std::string& model) {
  config::Expert expert;
  expert.name = "test";
  expert.backend = config::LocalBackend{model};
  return expert;
}

Awaitable<Answer> EngineHarness::Run(v1::CompleteRequest request, config::Expert expert, std::size_t stop_after,
                                     Deadline deadline) {
  engine::EngineBackend backend(loop_, *supervisor_, expert);
  Answer answer;
  const auto stream = backend.Open(request, true, deadline);
  while (stop_after == 0 || answer.chunks.size() < stop_after) {
    Result<backends::Chunk> chunk = co_await stream->Next();
    if (!chunk) {
      answer.error = chunk.error();
      break;
    }
    ++chunks_seen;
    answer.text += chunk->text;
    answer.chunks.push_back(chunk->text);
    for (v1::TokenLogprob& token : chunk->logprobs) answer.logprobs.push_back(std::move(token));
    if (chunk->usage) answer.usage = chunk->usage;
    if (chunk->last()) {
      answer.finish = chunk->finish;
      break;
    }
  }
  co_return answer;
}

std::future<Answer> EngineHarness::Start(const v1::CompleteRequest& request, std::size_t stop_after, Deadline deadline,
                                         std::optional<config::Expert> expert) {
  return Spawn(loop_, Run(request, expert ? *expert : Expert(), stop_after, deadline));
}

Answer EngineHarness::Complete(const v1::CompleteRequest& request, std::optional<config::Expert> expert) {
  return Start(request, 0, Deadline::max(), std::move(expert)).get();
}

v1::WorkerStatus EngineHarness::WorkerStatus() {
  v1::WorkerStatus status;
  if (const auto channel = supervisor_->channel()) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    v1::Engine::NewStub(channel)->GetWorkerStatus(&context, {}, &status);
  }
  return status;
}

}  // namespace pointsman::testing
