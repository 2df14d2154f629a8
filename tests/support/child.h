// tests/support/child.h: programs that a test starts, and ports for them.
#pragma once

#include <netinet/in.h>
#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

namespace pointsman::testing {

// A port of 127.0.0.1 that is free now. The kernel hands out others first before it gives this one to somebody else.
int FreePort();

// 127.0.0.1:port.
sockaddr_in Loopback(int port);

// Runs a program, found as a shell finds it, that dies with the test: standard output and error go to `out`, or
// nowhere. `environment` is set before. The process id; a program that cannot be run ends with 127.
pid_t Spawn(const std::vector<std::string>& words, int out = -1,
            const std::vector<std::pair<std::string, std::string>>& environment = {});

}  // namespace pointsman::testing
