#include "backends/engine/llama/worker.h"

#include <grpcpp/grpcpp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <thread>

#include "backends/engine/llama/library.h"
#include "backends/engine/llama/worker_service.h"

namespace pointsman::engine {
namespace {

// The kernel kills us when the router dies; if it died before this call, nobody else will.
bool BindToParent(pid_t parent) {
  if (parent == 0) return true;
  return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent;
}

}  // namespace

int RunWorker(const WorkerOptions& options) {
  if (!BindToParent(options.parent)) {
    std::fprintf(stderr, "engine: error: the router that started this worker is gone\n");
    return 1;
  }
  signal(SIGPIPE, SIG_IGN);
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  if (options.parent == 0) {
    sigaddset(&ends, SIGINT);
  } else {
    signal(SIGINT, SIG_IGN);  // Ctrl-C goes to the whole group; the router ends its streams before it ends us
  }
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);  // inherited by every thread: only sigwait below gets them

  InitLlama();
  WorkerService service(options.engine, std::max(1u, std::thread::hardware_concurrency()));
  grpc::ServerBuilder builder;
  builder.AddListeningPort("unix:" + options.socket.string(), grpc::InsecureServerCredentials());
  builder.RegisterService(&service);
  builder.SetMaxReceiveMessageSize(64 << 20);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) {
    std::fprintf(stderr, "engine: error: cannot listen on %s\n", options.socket.c_str());
    return 1;
  }
  chmod(options.socket.c_str(), 0600);
  if (options.ready_fd >= 0 && write(options.ready_fd, "R", 1) != 1) return 1;

  int signal_number = 0;
  sigwait(&ends, &signal_number);
  service.Stop();
  server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(2));
  server->Wait();
  unlink(options.socket.c_str());
  return 0;
}

}  // namespace pointsman::engine
