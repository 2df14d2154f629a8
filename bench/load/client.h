// bench/load/client.h: connections to one server on this machine.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pointsman/v1/pointsman.grpc.pb.h"

namespace pointsman::bench {

// Empty when `target` is a numeric loopback address with a port (127.x.y.z:port, [::1]:port); else why not. This tool
// makes as much load as it can: it must never be pointed at somebody else's machine, so names are refused, too.
std::string WhyNotLoopback(const std::string& target);

// `count` stubs, each on a TCP connection of its own.
std::vector<std::unique_ptr<v1::Pointsman::Stub>> Connect(const std::string& target, int count);

// The questions that are asked in turn: about 280 bytes each, of different categories, 128 tokens at most.
std::vector<v1::CompleteRequest> Requests(const std::string& expert, const std::string& policy);

}  // namespace pointsman::bench
