// router/redis/reply.h: what Redis answered, as a value of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

struct redisReply;

namespace pointsman::redis {

// Plain data, any thread.
struct Reply {
  enum class Kind : std::uint8_t { kNil, kStatus, kError, kText, kInteger, kArray };

  Kind kind = Kind::kNil;
  std::string text;             // of kStatus ("OK"), kError ("OOM command not allowed ..."), kText: any bytes
  std::int64_t integer = 0;     // of kInteger
  std::vector<Reply> elements;  // of kArray

  bool nil() const { return kind == Kind::kNil; }
  // Whether it is the error that begins with `code`, as "READONLY".
  bool IsError(std::string_view code) const { return kind == Kind::kError && text.starts_with(code); }
};

// A copy of what hiredis read. Arrays deeper than eight are cut.
Reply CopyOf(const redisReply& reply);

}  // namespace pointsman::redis
