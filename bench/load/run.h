// bench/load/run.h: the two kinds of load. One thread and one completion queue each, so that the load generator takes
// no more of a small machine than it must. Both end by themselves: the time is up, or `max_calls` were made, and no
// call outlives its deadline of 10 seconds.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "bench/load/questions.h"
#include "bench/load/report.h"

namespace pointsman::bench {

struct RunOptions {
  std::string target;  // loopback, host:port
  QuestionOptions questions;
  int calls = 16;                // in flight at any time
  int connections = 16;          // TCP connections; calls are spread over them evenly
  double seconds = 3;            // measured time, (0, 300]
  double warm_up_seconds = 0.5;  // unary only: before it, with the same load
  double spread_seconds = 1;     // streams only: over which the first streams start
  bool streamed = false;         // unary only: by StreamComplete, read to the end
  double rate = 0;               // unary only: calls started a second; 0 = one for each that ends
  std::string record;            // unary only: a file for the start and latency of each call; "" = none
  std::uint64_t max_calls = 0;   // 0 = as many as fit into the time
  pid_t pid = 0;                 // server whose CPU and memory are measured with its children; 0 = nobody's
};

// Complete, or the same answers streamed, over and over. Latency, calls a second, the server's CPU time a call, sizes
// of the messages, what the server says of its cache. At a `rate`, a call that finds all `calls` in flight is an error.
Report RunUnary(const RunOptions& options);

// StreamComplete: `calls` streams open at any time, a new one for each that ends, until the time is up. Time to the
// first delta, delay of each chunk against the clock value it carries, chunks a second, the server's CPU time a chunk
// and its anonymous memory a stream.
Report RunStreams(const RunOptions& options);

}  // namespace pointsman::bench
