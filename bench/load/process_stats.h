// bench/load/process_stats.h: what a process and its children have used, read from /proc. Any thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace pointsman::bench {

struct ProcessUse {
  double cpu_seconds = 0;  // user and system time of the living tree, and of its children that were waited for
  std::uint64_t anonymous_bytes = 0;  // anonymous memory of the living tree
  int processes = 0;
};

// `pid` and all its descendants. Empty when there is no such process. CPU time is exact to the nanosecond, but
// for that of children that were waited for, which comes in clock ticks, usually 10 ms.
std::optional<ProcessUse> ReadProcessTree(pid_t pid);

// CPU time of this machine since it started, in clock ticks, and how much of it the hypervisor kept.
struct MachineUse {
  std::uint64_t total = 0, stolen = 0;
};
MachineUse ReadMachine();

// Stolen share between two readings, [0, 1].
double StolenShare(const MachineUse& before, const MachineUse& after);

}  // namespace pointsman::bench
