// router/redis/connection.h: one connection to one Redis server.
#pragma once

#include <boost/asio/basic_waitable_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/async.h"
#include "base/result.h"
#include "base/waiter.h"
#include "router/redis/reply.h"

struct redisAsyncContext;

namespace pointsman::redis {

class Adapter;

// The words of a command; any bytes. They are copied when the coroutine that sends them starts.
using Command = std::span<const std::string_view>;

struct Address {
  std::string host;
  int port = 6379;
  bool operator==(const Address&) const = default;
};
std::string ToString(const Address& address);  // "host:port"

struct Login {
  std::string username, password;  // "" = none; without a name the password is the default user's
  unsigned database = 0;
};

// Commands are pipelined: each goes out at once, and replies come in the order of the commands. Loop thread only.
class Connection {
 public:
  // Resolves, connects, authenticates and selects the database until `deadline`. Errors (UNAVAILABLE) name the address
  // and the reason: refused, a password that is wrong or missing, no such database, ...
  static Awaitable<Result<std::unique_ptr<Connection>>> Open(Executor executor, const Address& address,
                                                             const Login& login, Deadline deadline);

  // Closes it: those who wait get UNAVAILABLE, inline.
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // The reply, which may be an error of Redis. DEADLINE_EXCEEDED when it did not come in time (it is swallowed when it
  // comes); UNAVAILABLE when the connection is closed or closes meanwhile: whether the command was carried out is not
  // known then. A terminal cancellation ends the wait; the command stays sent.
  Awaitable<Result<Reply>> Ask(Command command, Deadline deadline);

  // Sends a command whose reply nobody waits for; errors of Redis are counted.
  void Tell(Command command);

  bool open() const { return context_ != nullptr; }
  const std::string& why_closed() const { return why_closed_; }  // once it is not open()
  std::size_t pending() const { return pending_; }               // commands without a reply
  std::uint64_t refused() const { return refused_; }             // Tell()s that Redis refused
  const std::string& last_refusal() const { return last_refusal_; }

  // Called once when the connection closes by itself, from within hiredis: it must not destroy the connection.
  void OnClose(std::function<void()> closed) { closed_ = std::move(closed); }

 private:
  struct Sent;     // a command without a reply; hiredis holds it
  struct Waiting;  // who waits for one, in the frame of the coroutine
  struct List;

  explicit Connection(Executor executor);

  Awaitable<std::string> Connect(std::string ip, int port, Deadline deadline);
  Awaitable<std::string> Greet(const Login& login, Deadline deadline);
  bool Send(Command command, Sent* sent);
  void Arm(Deadline deadline);
  void Expire();
  void Closed(std::string why);
  static void OnReply(redisAsyncContext* context, void* reply, void* sent);

  Executor executor_;
  redisAsyncContext* context_ = nullptr;  // null: closed
  std::shared_ptr<Adapter> adapter_;
  std::optional<Waiter<std::string>> connecting_;  // "" or why not
  std::string why_closed_ = "it was never open";
  std::function<void()> closed_;
  std::shared_ptr<List> waiting_;  // those whose deadline counts
  asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor> timer_;
  Deadline armed_ = Deadline::max();
  std::size_t pending_ = 0;
  std::uint64_t refused_ = 0;
  std::string last_refusal_;
};

}  // namespace pointsman::redis
