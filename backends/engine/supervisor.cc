#include "backends/engine/supervisor.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <signal.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <utility>

#include "backends/engine/watch_call.h"
#include "backends/engine/worker_config.h"
#include "backends/grpc_threads.h"

namespace pointsman::engine {
namespace {

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& socket) {
  backends::KeepGrpcThreads();
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(-1);
  return grpc::CreateCustomChannel("unix:" + socket, grpc::InsecureChannelCredentials(), arguments);
}

template <class Status>
bool SettledStatus(const Status& status) {
  return status.models_size() > 0 && std::none_of(status.models().begin(), status.models().end(),
                                                  [](const auto& model) { return model.state() == "loading"; });
}

}  // namespace

Supervisor::Supervisor(Loop& loop, SupervisorOptions options)
    : loop_(loop),
      options_(std::move(options)),
      gate_(std::make_shared<LoopGate>(loop)),
      backoff_timer_(loop.get_executor()),
      stopped_timer_(loop.get_executor()) {
  now_.status.set_state(options_.engine.models.empty() ? "off" : "starting");
  Publish();
}

Supervisor::~Supervisor() {
  gate_->Close();
  if (watch_ != nullptr) watch_->Cancel();
  if (child_ != nullptr) child_->Signal(SIGKILL);  // reaped by the coroutine's frame, when the loop is destroyed
  std::error_code ec;
  if (!directory_.empty()) std::filesystem::remove_all(directory_, ec);
}

void Supervisor::Publish() { published_.store(std::make_shared<const View>(now_)); }

v1::EngineStatus Supervisor::Status() const { return published_.load()->status; }

std::shared_ptr<grpc::Channel> Supervisor::channel() const { return published_.load()->channel; }

bool Supervisor::Settled() const {
  const auto view = published_.load();
  return view->status.state() == "off" || view->status.state() == "ready";
}

std::string Supervisor::Unavailable(const std::string& name) const {
  const auto view = published_.load();
  const v1::EngineStatus& status = view->status;
  if (view->channel == nullptr) {
    if (status.state() == "off") return "the engine is off";
    return "the engine is " + status.state() +
           (status.last_error().empty() ? std::string() : ": the last worker ended with " + status.last_error());
  }
  for (const v1::ModelStatus& model : status.models()) {
    if (model.name() != name) continue;
    if (model.state() == "ready") return {};
    return model.state() == "failed" ? model.error() : "model " + name + " is still loading";
  }
  return status.models_size() == 0 ? "the engine is " + status.state() : "the engine has no model " + name;
}

void Supervisor::Start() {
  if (options_.engine.models.empty()) return;
  gate_->Post([this] {
    if (running_ || stopping_) return;
    running_ = true;
    auto run = Run();
    asio::co_spawn(loop_, std::move(run), asio::detached);
  });
}

Awaitable<void> Supervisor::Stop() {
  stopping_ = true;
  backoff_timer_.cancel();
  if (child_ != nullptr) child_->Signal(SIGTERM);
  if (running_) {
    boost::system::error_code ec;
    stopped_timer_.expires_after(options_.stop_wait);
    co_await stopped_timer_.async_wait(asio::redirect_error(kAwait, ec));
  }
  if (running_) {
    if (child_ != nullptr) child_->Signal(SIGKILL);
    boost::system::error_code ec;
    stopped_timer_.expires_at(Deadline::max());
    co_await stopped_timer_.async_wait(asio::redirect_error(kAwait, ec));
  }
}

Awaitable<void> Supervisor::Run() {
  auto backoff = options_.backoff_min;
  while (!stopping_) {
    now_.status.set_state(now_.status.restarts() == 0 ? "starting" : "restarting");
    Publish();
    const Deadline started = Clock::now();
    std::string error;
    co_await RunOnce(error);
    Disconnect();
    if (stopping_) break;

    now_.status.set_state("restarting");
    now_.status.set_last_error(error);
    now_.status.set_restarts(now_.status.restarts() + 1);
    Publish();
    if (Clock::now() - started >= options_.stable) backoff = options_.backoff_min;
    boost::system::error_code ec;
    backoff_timer_.expires_after(backoff);
    co_await backoff_timer_.async_wait(asio::redirect_error(kAwait, ec));
    backoff = std::min(backoff * 2, options_.backoff_max);
  }
  now_.status.set_state("off");
  Publish();
  running_ = false;
  stopped_timer_.cancel();
}

// One life of a worker.
Awaitable<void> Supervisor::RunOnce(std::string& error) {
  const Result<std::filesystem::path> directory = PrivateDirectory();
  if (!directory) {
    error = directory.error().message;
    co_return;
  }
  // A name of its own for every worker: nothing of the old one's connection can be mistaken for the new one.
  const std::string socket = (*directory / ("engine-" + std::to_string(++incarnation_) + ".sock")).string();
  Result<ChildProcess> child = Spawn(socket);
  if (!child) {
    error = child.error().message;
    co_return;
  }
  child_ = &*child;
  now_.status.set_pid(child->pid());
  Publish();
  // Its end ends the connection's coroutine too, which never ends by itself.
  using asio::experimental::awaitable_operators::operator||;
  auto exited = child->Exited();
  auto connect = Connect(*child, socket);
  auto first = co_await (std::move(exited) || std::move(connect));
  error = std::get<0>(std::move(first));
  child_ = nullptr;
}

Awaitable<void> Supervisor::Connect(ChildProcess& child, std::string socket) {
  Timer timer(loop_.get_executor());
  boost::system::error_code ec;
  if (co_await child.Ready()) {
    now_.channel = MakeChannel(socket);
    Publish();
    const unsigned incarnation = incarnation_;
    auto changed = [this, incarnation](const v1::WorkerStatus& status) { OnModels(incarnation, status); };
    watch_ = WatchCall::Start(now_.channel, gate_, std::move(changed));
  }
  while (true) {
    timer.expires_after(options_.poll);
    co_await timer.async_wait(asio::redirect_error(kAwait, ec));
    if (now_.channel != nullptr) Poll();
  }
}

// The states come by themselves; the counters are asked for.
void Supervisor::Poll() {
  const unsigned incarnation = incarnation_;
  auto polled = [this, incarnation](const v1::WorkerStatus* status) {
    if (status != nullptr) OnModels(incarnation, *status);
  };
  PollStatus(now_.channel, gate_, std::move(polled));
}

void Supervisor::OnModels(unsigned incarnation, const v1::WorkerStatus& status) {
  if (incarnation != incarnation_ || now_.channel == nullptr) return;
  // Two calls bring statuses, so an older one may come last: nothing that was loaded loads again in the same worker.
  if (SettledStatus(now_.status) && !SettledStatus(status)) return;
  *now_.status.mutable_models() = status.models();
  if (SettledStatus(now_.status)) now_.status.set_state("ready");
  Publish();
}

void Supervisor::Disconnect() {
  if (watch_ != nullptr) std::exchange(watch_, nullptr)->Cancel();
  now_.channel = nullptr;
  now_.status.set_pid(0);
  now_.status.clear_models();
  Publish();
}

// XDG_RUNTIME_DIR where there is one: it is ours alone and goes away with the session.
Result<std::filesystem::path> Supervisor::PrivateDirectory() {
  if (!directory_.empty()) return directory_;
  std::error_code ec;
  std::filesystem::path base;
  if (const char* runtime = std::getenv("XDG_RUNTIME_DIR"); runtime != nullptr && access(runtime, W_OK) == 0) {
    base = runtime;
  } else {
    base = std::filesystem::temp_directory_path(ec);
    if (ec) base = "/tmp";
  }
  std::string name = (base / "pointsman-XXXXXX").string();
  if (name.size() + sizeof "/engine-4294967295.sock" > sizeof(sockaddr_un::sun_path)) {
    return pointsman::Unavailable(
        "the directory " + base.string() +
        " has too long a name for a Unix socket: set XDG_RUNTIME_DIR or TMPDIR to a shorter one");
  }
  if (mkdtemp(name.data()) == nullptr) {  // mode 0700
    return pointsman::Unavailable("cannot make a private directory in " + base.string() + ": " + std::strerror(errno));
  }
  directory_ = name;
  return directory_;
}

Result<ChildProcess> Supervisor::Spawn(const std::string& socket) {
  if (options_.arguments) return ChildProcess::Start(loop_, options_.program, *options_.arguments);
  const std::filesystem::path file = directory_ / "engine.json";
  std::ofstream out(file, std::ios::trunc);
  out << ToJson(options_.engine);
  out.close();
  if (!out) return pointsman::Unavailable("cannot write " + file.string());
  const std::vector<std::string> arguments{"engine",
                                           "--socket",
                                           socket,
                                           "--config",
                                           file,
                                           "--parent",
                                           std::to_string(getpid()),
                                           "--ready-fd",
                                           std::to_string(ChildProcess::kReadyFd)};
  return ChildProcess::Start(loop_, options_.program, arguments);
}

}  // namespace pointsman::engine
