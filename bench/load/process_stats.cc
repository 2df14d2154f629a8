#include "bench/load/process_stats.h"

#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace pointsman::bench {
namespace {

struct Stat {
  pid_t parent = 0;
  std::uint64_t own_ticks = 0, waited_for_ticks = 0;
};

// /proc/PID/stat, as in proc(5): the name in parentheses may hold anything, so what follows is counted from the last
// ')'.
std::optional<Stat> ReadStat(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(line.substr(name_end + 1));
  std::string skipped;
  Stat stat;
  fields >> skipped >> stat.parent;  // fields 3 and 4
  for (int i = 5; i <= 13; ++i) fields >> skipped;
  for (int i = 14; i <= 17; ++i) {  // utime, stime, cutime, cstime
    std::uint64_t ticks = 0;
    fields >> ticks;
    (i <= 15 ? stat.own_ticks : stat.waited_for_ticks) += ticks;
  }
  if (!fields) return std::nullopt;
  return stat;
}

// The process's own CPU time: its clock counts nanoseconds, where it can be read.
double CpuSeconds(pid_t pid, const Stat& stat) {
  const double tick = 1.0 / static_cast<double>(sysconf(_SC_CLK_TCK));
  const double waited_for = static_cast<double>(stat.waited_for_ticks) * tick;
  clockid_t clock;
  timespec used{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0) {
    return waited_for + static_cast<double>(stat.own_ticks) * tick;
  }
  return waited_for + static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

std::uint64_t ReadAnonymousBytes(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/smaps_rollup");
  std::string word;
  while (file >> word) {
    std::uint64_t kilobytes = 0;
    if (word == "Anonymous:" && file >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

}  // namespace

std::optional<ProcessUse> ReadProcessTree(pid_t pid) {
  std::map<pid_t, Stat> all;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    pid_t id = std::atoi(entry.path().filename().c_str());
    if (id <= 0) continue;
    if (std::optional<Stat> stat = ReadStat(id)) all[id] = *stat;
  }
  if (!all.contains(pid)) return std::nullopt;
  std::vector<pid_t> tree{pid};
  ProcessUse use;
  for (std::size_t i = 0; i < tree.size(); ++i) {
    for (const auto& [id, stat] : all) {
      if (stat.parent == tree[i]) tree.push_back(id);
    }
    use.cpu_seconds += CpuSeconds(tree[i], all[tree[i]]);
    use.anonymous_bytes += ReadAnonymousBytes(tree[i]);
    ++use.processes;
  }
  return use;
}

MachineUse ReadMachine() {
  std::ifstream file("/proc/stat");
  std::string word;
  file >> word;  // "cpu"
  MachineUse use;
  for (int i = 0; i < 8; ++i) {  // user nice system idle iowait irq softirq steal
    std::uint64_t ticks = 0;
    if (!(file >> ticks)) break;
    use.total += ticks;
    if (i == 7) use.stolen = ticks;
  }
  return use;
}

double StolenShare(const MachineUse& before, const MachineUse& after) {
  if (after.total <= before.total) return 0;
  return static_cast<double>(after.stolen - before.stolen) / static_cast<double>(after.total - before.total);
}

}  // namespace pointsman::bench
