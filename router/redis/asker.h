// router/redis/asker.h: what the rest of the router knows of a Redis: one server, one behind Sentinels, or a cluster.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "router/redis/connection.h"

namespace pointsman::redis {

// Loop thread only.
class Asker {
 public:
  virtual ~Asker() = default;

  // The reply, which may be an error of Redis, within `timeout` (else the configured one). Errors: UNAVAILABLE at once
  // while there is no server that answers, DEADLINE_EXCEEDED. It may be destroyed while others wait for a reply.
  virtual Awaitable<Result<Reply>> Ask(Command command, std::optional<std::chrono::milliseconds> timeout = {}) = 0;

  // The servers that hold keys: one, or the masters of a cluster as far as they are known. And a command to one of
  // them; UNAVAILABLE where it is none any more.
  virtual std::vector<Address> Masters() const = 0;
  virtual Awaitable<Result<Reply>> AskMaster(Address master, Command command, std::chrono::milliseconds timeout) = 0;

  // Sends a command whose reply nobody needs. false: it was not sent.
  virtual bool Tell(Command command) = 0;

  // Whether it is worth asking.
  virtual bool usable() const = 0;
};

}  // namespace pointsman::redis
