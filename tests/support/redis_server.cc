#include "tests/support/redis_server.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include "tests/support/child.h"

namespace pointsman::testing {
namespace {

// What redis-cli prints, and how it ends.
std::string RunCli(int port, const std::vector<std::string>& words, int& status) {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  std::vector<std::string> command = {"redis-cli", "-h", "127.0.0.1", "-p", std::to_string(port)};
  command.insert(command.end(), words.begin(), words.end());
  const pid_t child = Spawn(command, ends[1]);
  ::close(ends[1]);
  std::string out;
  char piece[4096];
  for (ssize_t n; (n = ::read(ends[0], piece, sizeof piece)) > 0;) out.append(piece, static_cast<std::size_t>(n));
  ::close(ends[0]);
  ::waitpid(child, &status, 0);
  while (out.ends_with('\n')) out.pop_back();
  return out;
}

}  // namespace

RedisServer::RedisServer(std::vector<std::string> arguments, int port)
    : arguments_(std::move(arguments)), port_(port != 0 ? port : FreePort()) {
  Start();
}

RedisServer::~RedisServer() { Kill(); }

void RedisServer::Start() {
  std::vector<std::string> words = {"redis-server"};
  words.insert(words.end(), arguments_.begin(), arguments_.end());
  const bool sentinel = std::find(arguments_.begin(), arguments_.end(), "--sentinel") != arguments_.end();
  if (!sentinel) words.insert(words.end(), {"--save", "", "--appendonly", "no", "--dir", "/tmp"});
  words.insert(words.end(), {"--port", std::to_string(port_), "--bind", "127.0.0.1"});
  child_ = Spawn(words);
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!Answers()) {
    int status = 0;
    ASSERT_EQ(::waitpid(child_, &status, WNOHANG), 0) << "redis-server ended: scripts/bootstrap installs it";
    ASSERT_LT(std::chrono::steady_clock::now(), limit) << "redis-server does not answer on port " << port_;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

void RedisServer::Kill() {
  if (child_ < 0) return;
  ::kill(child_, SIGKILL);
  ::waitpid(child_, nullptr, 0);
  child_ = -1;
  frozen_ = false;
}

void RedisServer::Freeze() {
  ::kill(child_, SIGSTOP);
  frozen_ = true;
}

void RedisServer::Thaw() {
  ::kill(child_, SIGCONT);
  frozen_ = false;
}

// Any answer will do, also that a password is needed.
bool RedisServer::Answers() const {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{2, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const sockaddr_in address = Loopback(port_);
  char answer = 0;
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      ::send(socket, "PING\r\n", 6, MSG_NOSIGNAL) == 6) {
    if (::recv(socket, &answer, 1, 0) != 1) answer = 0;
  }
  ::close(socket);
  return answer == '+' || answer == '-';
}

std::string RedisServer::Cli(const std::vector<std::string>& words) const {
  int status = 0;
  std::string out = RunCli(port_, words, status);
  EXPECT_EQ(status, 0) << out;
  return out;
}

std::string RedisServer::TryCli(const std::vector<std::string>& words) const {
  int status = 0;
  std::string out = RunCli(port_, words, status);
  return status == 0 ? out : "";
}

}  // namespace pointsman::testing
