#include "backends/engine/llama/worker_service.h"

#include <algorithm>
#include <utility>

#include "backends/engine/llama/generate_reactor.h"
#include "backends/engine/wire_error.h"

namespace pointsman::engine {

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
    schedulers_.push_back(
        std::make_shared<Scheduler>(model, config.prompt_chunk, permits_, [this] { NotifyWatchers(); }));
  }
}

WorkerService::~WorkerService() { Stop(); }

void WorkerService::Stop() {
  std::vector<std::shared_ptr<Scheduler>> schedulers;
  {
    std::lock_guard lock(schedulers_mutex_);
    schedulers.swap(schedulers_);
  }
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
  std::shared_ptr<Scheduler> scheduler;
  {
    std::lock_guard lock(schedulers_mutex_);
    const auto it = std::find_if(schedulers_.begin(), schedulers_.end(),
                                 [&](const auto& candidate) { return candidate->name() == request->model(); });
    if (it != schedulers_.end()) scheduler = *it;
  }
  auto reactor = GenerateReactor::Make(scheduler);
  if (scheduler == nullptr) {
    reactor->Fail({ErrorClass::kRetryElsewhere, Code::kNotFound, "the engine has no model " + request->model()});
    return reactor.get();
  }
  const auto left = context->deadline() - std::chrono::system_clock::now();
  // A call without a deadline has one in the far future: too far for the steady clock's arithmetic.
  const Deadline deadline = left > std::chrono::hours(24 * 365) ? Deadline::max() : Clock::now() + left;
  if (auto queued = scheduler->Submit(*request, deadline, reactor); !queued) reactor->Fail(queued.error());
  return reactor.get();
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
