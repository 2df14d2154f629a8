#include "bench/floors/grpc_main.h"

#include <grpcpp/grpcpp.h>
#include <signal.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <sstream>
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

std::vector<std::size_t> ReadSizes(const char* text) {
  std::vector<std::size_t> sizes;
  std::istringstream in(text);
  for (std::string size; std::getline(in, size, ',');) sizes.push_back(std::strtoul(size.c_str(), nullptr, 10));
  return sizes;
}

}  // namespace

FloorOptions ParseFloorOptions(int argc, char** argv, FloorKind kind) {
  FloorOptions options;
  bool good = argc % 2 == 1;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--port") {
      options.port = std::atoi(argv[i + 1]);
    } else if (name == "--upstream" && kind == FloorKind::kHop) {
      options.upstream = argv[i + 1];
    } else if (name == "--sizes" && kind == FloorKind::kFixed) {
      options.sizes = ReadSizes(argv[i + 1]);
    } else if (name == "--loop" && kind == FloorKind::kFixed) {
      options.loop = std::string_view(argv[i + 1]) == "1";
    } else {
      good = false;
    }
  }
  good = good && (kind != FloorKind::kHop || !options.upstream.empty());
  good = good && (kind != FloorKind::kFixed || options.sizes.size() >= 3);
  if (!good) {
    const char* more = kind == FloorKind::kHop     ? " --upstream http://127.0.0.1:PORT/v1/chat/completions"
                       : kind == FloorKind::kFixed ? " --sizes WHOLE,EVENT,EVENT,... [--loop 1]"
                                                   : "";
    std::fprintf(stderr, "usage: %s [--port N]%s   (loopback; 0 = any free port, printed)\n", argv[0], more);
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
