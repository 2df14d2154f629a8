#include "backends/engine/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <cstring>
#include <utility>

extern char** environ;

namespace pointsman::engine {
namespace {

std::string Describe(int status) {
  if (WIFEXITED(status)) return "exit code " + std::to_string(WEXITSTATUS(status));
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    return "signal " + std::to_string(number) + " (" + strsignal(number) + ")";
  }
  return "wait status " + std::to_string(status);
}

Error StartError(const std::filesystem::path& program, const char* what, int number) {
  return {ErrorClass::kRetryElsewhere, Code::kUnavailable,
          "cannot start " + program.string() + ": " + what + ": " + std::strerror(number)};
}

}  // namespace

ChildProcess::ChildProcess(Loop& loop, pid_t pid, int pid_fd, int ready_fd)
    : pid_(pid), exit_(loop.get_executor(), pid_fd), ready_(loop.get_executor(), ready_fd) {}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)), exit_(std::move(other.exit_)), ready_(std::move(other.ready_)) {}

ChildProcess::~ChildProcess() {
  if (pid_ == 0) return;
  kill(pid_, SIGKILL);
  Reap();
}

Result<ChildProcess> ChildProcess::Start(Loop& loop, const std::filesystem::path& program,
                                         const std::vector<std::string>& arguments) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return StartError(program, "pipe", errno);
  const int ours = ends[0], theirs = ends[1];

  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, theirs, kReadyFd);
  posix_spawn_file_actions_addclosefrom_np(&files, kReadyFd + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  sigfillset(&signals);
  posix_spawnattr_setsigdefault(&attributes, &signals);

  const std::string name = program == "/proc/self/exe" ? "pointsman" : program.filename().string();
  std::vector<char*> argv{const_cast<char*>(name.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  pid_t pid = 0;
  const int failed = posix_spawn(&pid, program.c_str(), &files, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  close(theirs);
  if (failed != 0) {
    close(ours);
    return StartError(program, "spawn", failed);
  }
  const int pid_fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (pid_fd < 0) {
    const int number = errno;
    close(ours);
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    return StartError(program, "pidfd_open (Linux 5.3 or newer is needed)", number);
  }
  return ChildProcess(loop, pid, pid_fd, ours);
}

void ChildProcess::Signal(int number) const {
  if (pid_ != 0) kill(pid_, number);
}

Awaitable<bool> ChildProcess::Ready() {
  char byte = 0;
  boost::system::error_code ec;
  const std::size_t count = co_await ready_.async_read_some(asio::buffer(&byte, 1), asio::redirect_error(kAwait, ec));
  co_return !ec && count == 1;
}

Awaitable<std::string> ChildProcess::Exited() {
  boost::system::error_code ec;
  co_await exit_.async_wait(asio::posix::descriptor_base::wait_read, asio::redirect_error(kAwait, ec));
  co_return Reap();
}

std::string ChildProcess::Reap() {
  int status = 0;
  pid_t pid;
  do {
    pid = waitpid(pid_, &status, 0);
  } while (pid < 0 && errno == EINTR);
  pid_ = 0;
  return pid < 0 ? std::string("an unknown end: ") + std::strerror(errno) : Describe(status);
}

}  // namespace pointsman::engine
