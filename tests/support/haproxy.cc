#include "tests/support/haproxy.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>
#include <filesystem>

#include "tests/support/child.h"

namespace pointsman::testing {

HaProxy::HaProxy(const std::string& first, const std::string& second) : port_(FreePort()) {
  // Debian has it where only root's search path leads. -db: in the foreground, one process.
  const std::string program = std::filesystem::exists("/usr/sbin/haproxy") ? "/usr/sbin/haproxy" : "haproxy";
  child_ = Spawn({program, "-db", "-f", POINTSMAN_SOURCE_DIR "/deploy/haproxy.cfg"}, -1,
                 {{"POINTSMAN_BIND", address()}, {"POINTSMAN_REPLICA_1", first}, {"POINTSMAN_REPLICA_2", second}});
}

bool HaProxy::running() const {
  int status = 0;
  return ::waitpid(child_, &status, WNOHANG) == 0;
}

HaProxy::~HaProxy() {
  EXPECT_TRUE(running()) << "haproxy ended: scripts/bootstrap installs it; deploy/haproxy.cfg may be wrong";
  ::kill(child_, SIGKILL);
  ::waitpid(child_, nullptr, 0);
}

}  // namespace pointsman::testing
