#include "bench/floors/grpc_main.h"

#include <grpcpp/grpcpp.h>
#include <signal.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace pointsman::bench {
namespace {

sigset_t StopSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

FloorOptions ParseFloorOptions(int argc, char** argv, bool needs_upstream) {
  FloorOptions options;
  bool good = argc % 2 == 1;
  for (int i = 1; i + 1 < argc; i += 2) {
    std::string_view name = argv[i];
    if (name == "--port") {
      options.port = std::atoi(argv[i + 1]);
    } else if (name == "--upstream" && needs_upstream) {
      options.upstream = argv[i + 1];
    } else {
      good = false;
    }
  }
  if (!good || (needs_upstream && options.upstream.empty())) {
    std::fprintf(stderr, "usage: %s [--port N]%s   (loopback; 0 = any free port, printed)\n", argv[0],
                 needs_upstream ? " --upstream http://127.0.0.1:PORT/v1/chat/completions" : "");
    std::exit(2);
  }
  return options;
}

void BlockStopSignals() {
  sigset_t set = StopSignals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

int ServeUntilStopped(grpc::Service& service, int port) {
  int bound = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:" + std::to_string(port), grpc::InsecureServerCredentials(), &bound);
  builder.RegisterService(&service);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (!server || bound == 0) {
    std::fprintf(stderr, "cannot listen on 127.0.0.1:%d\n", port);
    return 1;
  }
  std::printf("listening on 127.0.0.1:%d\n", bound);
  std::fflush(stdout);
  sigset_t set = StopSignals();
  int signal = 0;
  sigwait(&set, &signal);
  server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(2));
  return 0;
}

}  // namespace pointsman::bench
