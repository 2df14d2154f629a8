// backends/engine/llama/worker.h: the engine worker process: what `pointsman engine` runs.
#pragma once

#include <sys/types.h>

#include <filesystem>

#include "config/config.h"

namespace pointsman::engine {

struct WorkerOptions {
  std::filesystem::path socket;  // Unix socket to serve on; what is there already is replaced
  config::Engine engine;
  pid_t parent = 0;   // the router: the worker dies with it. 0 = started by hand
  int ready_fd = -1;  // gets one byte when the socket is served, and stays open until the end; -1 = none
};

// Serves until SIGTERM (and SIGINT, when started by hand). Returns the exit code. Call it from the main thread, before
// there are others.
int RunWorker(const WorkerOptions& options);

}  // namespace pointsman::engine
