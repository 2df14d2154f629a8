// router/redis/cluster.h: a Redis Cluster: each command goes to the server that has its key.
#pragma once

#include <memory>

#include "router/redis/asker.h"
#include "router/redis/client.h"

namespace pointsman::redis {

// A Client for each master, with its connection and breaker: a server that is down costs its own keys only. The map of
// slots is read (CLUSTER SLOTS) from any server that answers, at the start, after a redirection (MOVED), and each
// second while a server is not usable. A redirected command is sent once more, to the server that was named (after
// ASKING, where the slot is on its way). Commands must have one key (slot.h), or several in one slot. Loop thread only.
class Cluster : public Asker {
 public:
  // `options.addresses` are some of the servers; no Sentinel. `health` outlives the cluster.
  // Destroyed from within the loop's run, or when it does not run any more.
  Cluster(Executor executor, Options options, Health& health);
  ~Cluster() override;
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  Awaitable<Result<Reply>> Ask(Command command, std::optional<std::chrono::milliseconds> timeout = {}) override;
  std::vector<Address> Masters() const override;
  Awaitable<Result<Reply>> AskMaster(Address master, Command command, std::chrono::milliseconds timeout) override;
  // A command that is redirected is lost, but the map is read again.
  bool Tell(Command command) override;
  bool usable() const override;  // the map is known and some server answers

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace pointsman::redis
