#include "tests/support/haproxy.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "tests/support/redis_server.h"

namespace pointsman::testing {

HaProxy::HaProxy(const std::string& first, const std::string& second) : port_(FreePort()) {
  const std::string bind = address();
  child_ = ::fork();
  if (child_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::setenv("POINTSMAN_BIND", bind.c_str(), 1);
    ::setenv("POINTSMAN_REPLICA_1", first.c_str(), 1);
    ::setenv("POINTSMAN_REPLICA_2", second.c_str(), 1);
    const int null = ::open("/dev/null", O_RDWR);
    ::dup2(null, 0);
    ::dup2(null, 1);
    ::dup2(null, 2);
    // -db: in the foreground, one process.
    ::execlp("haproxy", "haproxy", "-db", "-f", POINTSMAN_SOURCE_DIR "/deploy/haproxy.cfg", nullptr);
    ::execl("/usr/sbin/haproxy", "haproxy", "-db", "-f", POINTSMAN_SOURCE_DIR "/deploy/haproxy.cfg", nullptr);
    ::_exit(127);
  }
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
