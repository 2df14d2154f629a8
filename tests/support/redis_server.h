// tests/support/redis_server.h: a real redis-server as a child process, and what can happen to one.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace pointsman::testing {

// On a port of 127.0.0.1, without persistence; it dies with the test. Fails the test when it cannot be started.
class RedisServer {
 public:
  // `arguments` as on its command line: {"--requirepass", "secret"}; {FILE, "--sentinel"} is a Sentinel. `port` 0 = a
  // free one.
  explicit RedisServer(std::vector<std::string> arguments = {}, int port = 0);
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  int port() const { return port_; }

  void Kill();    // at once, as by a crash
  void Start();   // again, on the same port, empty
  void Freeze();  // it is there and does nothing (SIGSTOP)
  void Thaw();

  // What redis-cli prints for a command. Fails the test when it cannot be asked.
  std::string Cli(const std::vector<std::string>& words) const;
  // The same; "" when it cannot be asked: Sentinels close all connections of a server whose role changes.
  std::string TryCli(const std::vector<std::string>& words) const;

 private:
  bool Answers() const;

  std::vector<std::string> arguments_;
  int port_ = 0;
  pid_t child_ = -1;
  bool frozen_ = false;
};

}  // namespace pointsman::testing
