#include "router/telemetry/metrics_page.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>
#include <future>

#include "config/address.h"

namespace pointsman::telemetry {
namespace {

// Fills `storage` and returns its size; 0 when `host` is no IP address.
socklen_t Fill(sockaddr_storage& storage, const std::string& host, std::uint16_t port) {
  auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
  if (inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    return sizeof *v4;
  }
  if (inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    return sizeof *v6;
  }
  return 0;
}

// Why nobody can listen there, "" when one can. The web server prints the reason and tells its caller only that it
// failed.
std::string ListenFlaw(const sockaddr_storage& address, socklen_t size) {
  const int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return std::strerror(errno);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const bool bound = bind(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0 && listen(fd, 1) == 0;
  std::string flaw = bound ? "" : std::strerror(errno);
  close(fd);
  return flaw;
}

void Knock(const sockaddr_storage& address, socklen_t size) {
  const int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return;
  (void)connect(fd, reinterpret_cast<const sockaddr*>(&address), size);
  close(fd);
}

}  // namespace

Result<std::unique_ptr<MetricsPage>> MetricsPage::Listen(
    const std::string& address, const std::vector<std::shared_ptr<prometheus::Collectable>>& collect) {
  auto parsed = config::ParseAddress(address);
  if (!parsed) return std::move(parsed).error();
  std::string host = parsed->host == "localhost" ? "127.0.0.1" : parsed->host;
  auto fail = [&](const std::string& why) {
    return Unavailable("cannot listen on " + address + " for metrics: " + why +
                       " (set server.metrics to a free address, or to off)");
  };
  std::unique_ptr<MetricsPage> page(new MetricsPage);
  page->address_size_ = Fill(page->address_, host, parsed->port);
  if (page->address_size_ == 0) return fail("the host must be an IP address or localhost");
  if (std::string flaw = ListenFlaw(page->address_, page->address_size_); !flaw.empty()) return fail(flaw);
  const std::string web_address =
      (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(parsed->port);
  try {
    page->exposer_ = std::make_unique<prometheus::Exposer>(web_address, 2);
    for (const auto& each : collect) page->exposer_->RegisterCollectable(each);
    const std::vector<int> ports = page->exposer_->GetListeningPorts();
    if (ports.empty()) return fail("the web server has no port");
    page->port_ = ports.front();
  } catch (const std::exception& error) {
    return fail(error.what());
  }
  Fill(page->address_, host, static_cast<std::uint16_t>(page->port_));
  return page;
}

// The web server looks whether it should stop only between two connections, or every 2 s: a connection makes it look.
MetricsPage::~MetricsPage() {
  if (exposer_ == nullptr) return;
  std::future<void> stopped = std::async(std::launch::async, [this] { exposer_.reset(); });
  while (stopped.wait_for(std::chrono::milliseconds(10)) != std::future_status::ready) Knock(address_, address_size_);
}

}  // namespace pointsman::telemetry
