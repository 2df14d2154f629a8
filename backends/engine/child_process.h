// backends/engine/child_process.h: a process of ours: started with almost nothing inherited, and watched without
// SIGCHLD, which belongs to the whole process.
#pragma once

#include <sys/types.h>

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "base/async.h"
#include "base/result.h"

namespace pointsman::engine {

// Loop thread only.
class ChildProcess {
 public:
  // The child gets stdin from /dev/null, our stdout and stderr, and `kReadyFd`: it writes a byte there when it is
  // ready. It becomes the child of the calling thread: a parent-death signal that it asks for comes when that thread
  // ends.
  static Result<ChildProcess> Start(Loop& loop, const std::filesystem::path& program,
                                    const std::vector<std::string>& arguments);
  static constexpr int kReadyFd = 3;

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  // Kills it when it still runs, and waits for its end (milliseconds).
  ~ChildProcess();

  pid_t pid() const { return pid_; }
  void Signal(int number) const;

  // True when the child said that it is ready; false when it ended, or closed kReadyFd, before.
  Awaitable<bool> Ready();

  // Waits for the end; at most once. "exit code 1", "signal 9 (Killed)".
  Awaitable<std::string> Exited();

 private:
  ChildProcess(Loop& loop, pid_t pid, int pid_fd, int ready_fd);
  std::string Reap();

  pid_t pid_;                                             // 0 = reaped
  asio::posix::basic_stream_descriptor<Executor> exit_;   // a pidfd: readable when the process has ended
  asio::posix::basic_stream_descriptor<Executor> ready_;  // our end of the pipe
};

}  // namespace pointsman::engine
