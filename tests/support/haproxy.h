// tests/support/haproxy.h: HAProxy with deploy/haproxy.cfg, as a child process.
#pragma once

#include <sys/types.h>

#include <string>

namespace pointsman::testing {

// In front of two replicas ("127.0.0.1:PORT"), on a free port; it dies with the test. Fails the test when it does not
// run.
class HaProxy {
 public:
  HaProxy(const std::string& first, const std::string& second);
  ~HaProxy();
  HaProxy(const HaProxy&) = delete;
  HaProxy& operator=(const HaProxy&) = delete;

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  bool running() const;

 private:
  int port_;
  pid_t child_ = -1;
};

}  // namespace pointsman::testing
