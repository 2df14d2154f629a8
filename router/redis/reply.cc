#include "router/redis/reply.h"

#include <hiredis/hiredis.h>

namespace pointsman::redis {
namespace {

Reply Copy(const redisReply& from, int depth) {
  constexpr int kDeepest = 8;
  Reply reply;
  switch (from.type) {
    case REDIS_REPLY_STRING: reply.kind = Reply::Kind::kText; break;
    case REDIS_REPLY_STATUS: reply.kind = Reply::Kind::kStatus; break;
    case REDIS_REPLY_ERROR: reply.kind = Reply::Kind::kError; break;
    case REDIS_REPLY_INTEGER:
      reply.kind = Reply::Kind::kInteger;
      reply.integer = from.integer;
      return reply;
    case REDIS_REPLY_ARRAY:
      reply.kind = Reply::Kind::kArray;
      for (std::size_t i = 0; depth < kDeepest && i < from.elements; ++i) {
        reply.elements.push_back(Copy(*from.element[i], depth + 1));
      }
      return reply;
    default: return reply;
  }
  reply.text.assign(from.str, static_cast<std::size_t>(from.len));
  return reply;
}

}  // namespace

Reply CopyOf(const redisReply& reply) { return Copy(reply, 0); }

}  // namespace pointsman::redis
