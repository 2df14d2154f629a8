// router/redis/slot.h: where a Redis Cluster keeps a key (Redis Cluster specification, "Key distribution model").
#pragma once

#include <cstdint>
#include <string_view>

#include "router/redis/connection.h"

namespace pointsman::redis {

inline constexpr std::size_t kSlots = 16'384;

// CRC-16/XMODEM of the key, or of what is between its first braces when that is not empty, modulo kSlots.
std::uint16_t SlotOf(std::string_view key);

// The key that a command is about: the second word, of EVAL and EVALSHA the fourth (their first key). "" without one.
std::string_view KeyOf(Command command);

}  // namespace pointsman::redis
