// router/telemetry/metrics_page.h: the small web server (civetweb, by prometheus-cpp) that serves /metrics on threads
// of its own.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace pointsman::telemetry {

class MetricsPage {
 public:
  // `address` is host:port, the host an IP address or localhost; port 0 takes a free one. UNAVAILABLE with the reason
  // when nobody can listen there. What it collects must outlive it, or be gone as a whole.
  static Result<std::unique_ptr<MetricsPage>> Listen(
      const std::string& address, const std::vector<std::shared_ptr<prometheus::Collectable>>& collect);
  // Waits for scrapes under way.
  ~MetricsPage();

  int port() const { return port_; }

 private:
  MetricsPage() = default;

  sockaddr_storage address_{};
  socklen_t address_size_ = 0;
  int port_ = 0;
  std::unique_ptr<prometheus::Exposer> exposer_;
};

}  // namespace pointsman::telemetry
