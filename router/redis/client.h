// router/redis/client.h: a Redis that may be away: commands get an answer or an error at once or within a time limit,
// and somebody else looks for the server.
#pragma once

#include <atomic>
#include <boost/asio/cancellation_signal.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "router/redis/asker.h"

namespace pointsman::redis {

struct Options {
  std::vector<Address> addresses;        // one or more: of the server, tried in turn; or of the Sentinels
  std::optional<std::string> sentinel;   // the name of the master that the Sentinels at `addresses` watch
  Login login;                           // of the server; Sentinels are asked without
  std::chrono::milliseconds timeout{5};  // for the reply to a command
};

// What the clients of all shards say of the server. Any thread.
class Health {
 public:
  // Totals since the start.
  struct Counts {
    std::uint64_t replies = 0;      // errors of Redis included
    std::uint64_t errors = 0;       // of these, errors
    std::uint64_t timeouts = 0;     // commands without a reply in time
    std::uint64_t unavailable = 0;  // commands that were not sent, or whose connection went away
    std::uint64_t changes = 0;      // of usable()
  };
  Counts counts() const;
  // Whether every client has a connection that answers.
  bool usable() const;
  std::string why_not() const;  // "" when usable

 private:
  friend class Client;
  friend class Cluster;
  void Join();
  void Leave(bool was_up);
  void Up(const std::string& address);
  void Down(const std::string& why, bool was_up);

  std::atomic<std::uint64_t> replies_{0}, errors_{0}, timeouts_{0}, unavailable_{0}, changes_{0};
  mutable std::mutex mutex_;
  std::size_t clients_ = 0, up_ = 0;
  bool said_down_ = false;
  std::string why_not_ = "it was not reached yet";
};

// One connection, kept open: looked for again and again after it closed, with growing pauses (50 ms to 1 s). A breaker
// keeps requests from waiting for a server that does not answer: after three time-outs in a row commands fail at once,
// until a PING, which no request waits for, has been answered. Loop thread only.
class Client : public Asker {
 public:
  static constexpr unsigned kSlowInARow = 3;
  static constexpr std::size_t kMostPending = 10'000;  // commands without a reply; more fail at once

  // Begins to look for the server. `health` outlives the client.
  // Destroyed from within the loop's run, or when it does not run any more.
  Client(Executor executor, Options options, Health& health);
  ~Client() override;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  Awaitable<Result<Reply>> Ask(Command command, std::optional<std::chrono::milliseconds> timeout = {}) override;
  std::vector<Address> Masters() const override;
  Awaitable<Result<Reply>> AskMaster(Address master, Command command, std::chrono::milliseconds timeout) override;
  bool Tell(Command command) override;
  bool usable() const override;

  // What Redis said when it last refused a command that it was told; "" when it has not.
  const std::string& last_refusal() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace pointsman::redis
