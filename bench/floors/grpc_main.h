// bench/floors/grpc_main.h: what the gRPC floors have in common: command line, start, stop.
#pragma once

#include <grpcpp/impl/service_type.h>

#include <cstddef>
#include <string>
#include <vector>

namespace pointsman::bench {

struct FloorOptions {
  int port = 0;                    // on loopback; 0 = any free port
  std::string upstream;            // kHop: http://host:port/path
  std::vector<std::size_t> sizes;  // kFixed: bytes of the whole answer, then of the events, two or more
  bool loop = false;               // kFixed: answered from an event loop
};

enum class FloorKind { kEcho, kHop, kFixed };

// Reads --port and what the floor of this kind needs. Ends the program with a usage message when they are wrong.
FloorOptions ParseFloorOptions(int argc, char** argv, FloorKind kind);

// Blocks SIGINT and SIGTERM in this thread and those it starts later. Call it first in main.
void BlockStopSignals();

// Serves on 127.0.0.1, prints "listening on 127.0.0.1:PORT", returns the exit code after SIGINT or SIGTERM.
int ServeUntilStopped(grpc::Service& service, int port);

}  // namespace pointsman::bench
