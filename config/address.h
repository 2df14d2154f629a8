// config/address.h: host:port.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/config.h"

namespace pointsman::config {

struct Address {
  std::string host;  // without the brackets of an IPv6 address
  std::uint16_t port = 0;

  // 127.0.0.0/8, ::1 or localhost: only this machine can reach it.
  bool loopback() const;
};

// "127.0.0.1:50051", "localhost:0", "[::1]:50051". The error says what is wrong with the text.
Result<Address> ParseAddress(std::string_view text);

// Whether the server may listen on `listen` with these settings: an address that other machines reach needs `tls` or
// `insecure`. What the parser applies to the file; the program applies it again when the command line replaces
// `listen`.
Result<void> CheckListen(std::string_view listen, const Server& server);

}  // namespace pointsman::config
