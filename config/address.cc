#include "config/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "config/names.h"
#include "config/units.h"

namespace pointsman::config {

bool Address::loopback() const {
  if (host == "localhost") return true;
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

Result<Address> ParseAddress(std::string_view text) {
  auto fail = [&](std::string_view why) {
    return InvalidArgument("", Quote(text) + " is not host:port: " + std::string(why) +
                                   " (as in 127.0.0.1:50051, localhost:50051 or [::1]:50051)");
  };
  Address address;
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return fail("the ']' is missing");
    address.host = text.substr(1, close - 1);
    in6_addr v6{};
    if (inet_pton(AF_INET6, address.host.c_str(), &v6) != 1)
      return fail("there is no IPv6 address between the brackets");
    if (close + 1 >= text.size() || text[close + 1] != ':') return fail("the port is missing");
    port = text.substr(close + 2);
  } else {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return fail("the port is missing");
    if (text.find(':', colon + 1) != std::string_view::npos) return fail("an IPv6 address needs brackets");
    if (colon == 0) return fail("the host is missing; 0.0.0.0 stands for every interface");
    address.host = text.substr(0, colon);
    for (char c : address.host) {
      if (!IsName(std::string_view(&c, 1))) return fail("the host has a character that no host has");
    }
    port = text.substr(colon + 1);
  }
  const auto number = ParseWhole(port);
  if (!number || *number > 65535) return fail("the port must be 0 to 65535");
  address.port = static_cast<std::uint16_t>(*number);
  return address;
}

Result<void> CheckListen(std::string_view listen, const Server& server) {
  auto address = ParseAddress(listen);
  if (!address) return std::move(address).error();
  if (address->loopback() || server.tls || server.insecure) return {};
  return InvalidArgument("", Quote(listen) +
                                 " can be reached from other machines, and there is no TLS (listen on 127.0.0.1, give "
                                 "server.tls a certificate and key, or say server.insecure: true)");
}

}  // namespace pointsman::config
