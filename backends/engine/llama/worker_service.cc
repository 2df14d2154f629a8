#include "backends/engine/llama/worker_service.h"

#include <algorithm>
#include <utility>

#include "backends/engine/llama/embed_reactor.h"
#include "backends/engine/llama/generate_reactor.h"
#include "backends/engine/wire_error.h"

namespace pointsman::engine {
namespace {

Deadline DeadlineOf(const grpc::CallbackServerContext& context) {
  const auto left = context.deadline() - std::chrono::system_clock::now();
  // A call without a deadline has one in the far future: too far for the steady clock's arithmetic.
  return left > std::chrono::hours(24 * 365) ? Deadline::max() : Clock::now() + left;
}

Error NoModel(const std::string& name) {
  return {ErrorClass::kRetryElsewhere, Code::kNotFound, "the engine has no model " + name};
}

Error WrongKind(const std::string& name, const char* what) {
  return {ErrorClass::kRetryElsewhere, Code::kFailedPrecondition, "model " + name + " " + what};
}

template <class List>
auto FindByName(const List& list, const std::string& name) -> typename List::value_type {
  const auto it = std::find_if(list.begin(), list.end(), [&](const auto& each) { return each->name() == name; });
  return it == list.end() ? nullptr : *it;
}

}  // namespace

// One WatchStatus call. Sends the newest status; changes during a write make one more write.
class WorkerService::StatusWatcher final : public grpc::ServerWriteReactor<v1::WorkerStatus>,
                                           public std::enable_shared_from_this<StatusWatcher> {
 public:
  explicit StatusWatcher(WorkerService& service) : service_(service) {}

  void Start() {
    self_ = shared_from_this();
    Changed();
  }

  void Changed() {
    std::unique_lock lock(mutex_);
    changed_ = true;
    Proceed(std::move(lock));
  }

  void End() {
    std::unique_lock lock(mutex_);
    ended_ = true;
    Proceed(std::move(lock));
  }

  void OnWriteDone(bool ok) override {
    std::unique_lock lock(mutex_);
    writing_ = false;
    ended_ = ended_ || !ok;
    Proceed(std::move(lock));
  }

  void OnCancel() override { End(); }

  void OnDone() override {
    {
      std::lock_guard lock(service_.watchers_mutex_);
      service_.watchers_.erase(self_);
    }
    self_.reset();
  }

 private:
  void Proceed(std::unique_lock<std::mutex> lock) {
    if (writing_ || finished_) return;
    if (ended_) {
      finished_ = true;
      lock.unlock();
      Finish(grpc::Status::OK);
    } else if (changed_) {
      changed_ = false;
      writing_ = true;
      status_ = service_.Status();
      lock.unlock();
      StartWrite(&status_);
    }
  }

  WorkerService& service_;
  std::shared_ptr<StatusWatcher> self_;
  std::mutex mutex_;
  v1::WorkerStatus status_;
  bool changed_ = false, writing_ = false, ended_ = false, finished_ = false;
};

WorkerService::WorkerService(const config::Engine& config, unsigned cores) : permits_(cores) {
  std::lock_guard lock(schedulers_mutex_);
  for (const config::Model& model : config.models) {
    if (model.kind == config::ModelKind::kEncoder) {
      embedders_.push_back(std::make_shared<Embedder>(model, permits_, [this] { NotifyWatchers(); }));
      continue;
    }
    schedulers_.push_back(
        std::make_shared<Scheduler>(model, config.prompt_chunk, permits_, [this] { NotifyWatchers(); }));
  }
}

WorkerService::~WorkerService() { Stop(); }

void WorkerService::Stop() {
  std::vector<std::shared_ptr<Scheduler>> schedulers;
  std::vector<std::shared_ptr<Embedder>> embedders;
  {
    std::lock_guard lock(schedulers_mutex_);
    schedulers.swap(schedulers_);
    embedders.swap(embedders_);
  }
  for (const auto& embedder : embedders) embedder->Stop();
  for (const auto& scheduler : schedulers) scheduler->Stop();
  std::unordered_set<std::shared_ptr<StatusWatcher>> watchers;
  {
    std::lock_guard lock(watchers_mutex_);
    stopped_ = true;
    watchers = watchers_;
  }
  for (const auto& watcher : watchers) watcher->End();
}

v1::WorkerStatus WorkerService::Status() const {
  v1::WorkerStatus status;
  std::lock_guard lock(schedulers_mutex_);
  for (const auto& scheduler : schedulers_) *status.add_models() = scheduler->Status();
  for (const auto& embedder : embedders_) *status.add_models() = embedder->Status();
  return status;
}

void WorkerService::NotifyWatchers() {
  std::unordered_set<std::shared_ptr<StatusWatcher>> watchers;
  {
    std::lock_guard lock(watchers_mutex_);
    watchers = watchers_;
  }
  for (const auto& watcher : watchers) watcher->Changed();
}

grpc::ServerWriteReactor<v1::GenerateEvent>* WorkerService::Generate(grpc::CallbackServerContext* context,
                                                                     const v1::GenerateRequest* request) {
  const std::shared_ptr<Scheduler> scheduler = FindScheduler(request->model());
  auto reactor = GenerateReactor::Make(scheduler);
  if (scheduler == nullptr) {
    reactor->Fail(FindEmbedder(request->model()) == nullptr
                      ? NoModel(request->model())
                      : WrongKind(request->model(), "is an encoder: it cannot answer"));
    return reactor.get();
  }
  auto queued = scheduler->Submit(*request, DeadlineOf(*context), reactor);
  if (!queued) reactor->Fail(queued.error());
  return reactor.get();
}

grpc::ServerUnaryReactor* WorkerService::Embed(grpc::CallbackServerContext* context, const v1::EmbedRequest* request,
                                               v1::EmbedResponse* response) {
  const std::shared_ptr<Embedder> embedder = FindEmbedder(request->model());
  auto reactor = EmbedReactor::Make(embedder, response);
  if (embedder == nullptr) {
    reactor->Fail(FindScheduler(request->model()) == nullptr
                      ? NoModel(request->model())
                      : WrongKind(request->model(), "is of kind text: it gives no embeddings"));
    return reactor.get();
  }
  auto queued = embedder->Submit(*request, DeadlineOf(*context), reactor);
  if (!queued) reactor->Fail(queued.error());
  return reactor.get();
}

std::shared_ptr<Scheduler> WorkerService::FindScheduler(const std::string& model) const {
  std::lock_guard lock(schedulers_mutex_);
  return FindByName(schedulers_, model);
}

std::shared_ptr<Embedder> WorkerService::FindEmbedder(const std::string& model) const {
  std::lock_guard lock(schedulers_mutex_);
  return FindByName(embedders_, model);
}

grpc::ServerWriteReactor<v1::WorkerStatus>* WorkerService::WatchStatus(grpc::CallbackServerContext*,
                                                                       const v1::WatchStatusRequest*) {
  auto watcher = std::make_shared<StatusWatcher>(*this);
  bool stopped;
  {
    std::lock_guard lock(watchers_mutex_);
    watchers_.insert(watcher);
    stopped = stopped_;
  }
  watcher->Start();
  if (stopped) watcher->End();
  return watcher.get();
}

grpc::ServerUnaryReactor* WorkerService::GetWorkerStatus(grpc::CallbackServerContext* context,
                                                         const v1::GetWorkerStatusRequest*,
                                                         v1::WorkerStatus* response) {
  *response = Status();
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

}  // namespace pointsman::engine
