// backends/grpc_threads.h: keeps gRPC's callback threads for the life of the process.
#pragma once

namespace pointsman::backends {

// gRPC 1.51 starts its callback threads with the first user (a server, or a channel with a callback call) and ends them
// with the last, and that end is a race: now and then a thread aborts the process with "ref_counted.h: assertion
// failed: prior > 0". Call this before making a channel for callback calls: a user that is never gone is there then.
// Cheap after the first time. Any thread.
void KeepGrpcThreads();

}  // namespace pointsman::backends
