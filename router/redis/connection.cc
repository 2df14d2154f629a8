#include "router/redis/connection.h"

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/intrusive/list.hpp>
#include <utility>

#include "router/redis/adapter.h"

namespace pointsman::redis {
namespace {

using Answer = std::optional<Result<Reply>>;  // a Waiter's values need a default
using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor>;

Error ClosedError(const std::string& why) { return Unavailable("Redis: " + why); }

// The first address of a host, which may be one already; the error says why there is none.
Awaitable<Result<std::string>> Resolve(Executor executor, const std::string& host, Deadline deadline) {
  boost::system::error_code error;
  (void)asio::ip::make_address(host, error);
  if (!error) co_return host;
  asio::ip::basic_resolver<asio::ip::tcp, Executor> resolver(executor);
  Timer timer(executor, deadline);
  timer.async_wait([&resolver](const boost::system::error_code& e) {
    if (!e) resolver.cancel();
  });
  auto token = asio::redirect_error(kAwait, error);
  const auto found = co_await resolver.async_resolve(host, "", token);
  if (error || found.empty()) co_return Unavailable("the name cannot be resolved: " + error.message());
  co_return found.begin()->endpoint().address().to_string();
}

}  // namespace

std::string ToString(const Address& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return (v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

struct Connection::Waiting
    : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
  explicit Waiting(Executor executor) : waiter(executor) {}
  ~Waiting();
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  Waiter<Answer> waiter;
  Deadline deadline;
  Sent* sent = nullptr;  // null once it has a reply
};

struct Connection::Sent {
  Waiting* waiting = nullptr;  // null: nobody waits (any more)
};

// Nobody waits any more; the reply is swallowed when it comes.
Connection::Waiting::~Waiting() {
  if (sent != nullptr) sent->waiting = nullptr;
}

struct Connection::List {
  boost::intrusive::list<Waiting, boost::intrusive::constant_time_size<false>> waiting;
};

Connection::Connection(Executor executor) : executor_(executor), waiting_(std::make_shared<List>()), timer_(executor) {}

Connection::~Connection() {
  if (context_ == nullptr) return;
  redisAsyncContext* const context = std::exchange(context_, nullptr);
  why_closed_ = "the connection was given up";
  context->data = nullptr;
  redisAsyncFree(context);  // calls OnReply for all that is pending
}

Awaitable<Result<std::unique_ptr<Connection>>> Connection::Open(Executor executor, const Address& address,
                                                                const Login& login, Deadline deadline) {
  Result<std::string> ip = co_await Resolve(executor, address.host, deadline);
  const std::string at = ToString(address);
  if (!ip) co_return Unavailable(at + ": " + ip.error().message);
  std::unique_ptr<Connection> connection(new Connection(executor));
  std::string why = co_await connection->Connect(*std::move(ip), address.port, deadline);
  if (why.empty()) why = co_await connection->Greet(login, deadline);
  if (!why.empty()) co_return Unavailable(at + ": " + why);
  co_return connection;
}

Awaitable<std::string> Connection::Connect(std::string ip, int port, Deadline deadline) {
  redisAsyncContext* const context = redisAsyncConnect(ip.c_str(), port);
  if (context == nullptr) co_return "out of memory";
  if (context->err != 0) {
    std::string why = context->errstr;
    redisAsyncFree(context);
    co_return why;
  }
  context_ = context;
  context->data = this;
  adapter_ = Adapter::Attach(executor_, context);
  redisAsyncSetConnectCallback(context, [](const redisAsyncContext* c, int status) {
    auto* const self = static_cast<Connection*>(c->data);
    if (self == nullptr) return;
    if (status != REDIS_OK) {
      self->Closed(c->c.errstr);  // hiredis frees the context
    } else if (self->connecting_) {
      self->connecting_->Resume("");
    }
  });
  redisAsyncSetDisconnectCallback(context, [](const redisAsyncContext* c, int status) {
    auto* const self = static_cast<Connection*>(c->data);
    if (self != nullptr) self->Closed(status == REDIS_OK ? "it was closed" : c->errstr);
  });
  connecting_.emplace(executor_);
  Timer timer(executor_, deadline);
  timer.async_wait([this](const boost::system::error_code& e) {
    if (!e && connecting_ && connecting_->waiting()) connecting_->Resume("it does not answer");
  });
  std::string why = co_await connecting_->Wait();
  connecting_.reset();
  co_return why;
}

Awaitable<std::string> Connection::Greet(const Login& login, Deadline deadline) {
  if (!login.password.empty()) {
    std::array<std::string_view, 3> words = {"AUTH", login.username, login.password};
    if (login.username.empty()) words = {"AUTH", login.password, ""};
    const Command command(words.data(), login.username.empty() ? 2 : 3);
    Result<Reply> reply = co_await Ask(command, deadline);
    if (!reply) co_return reply.error().message;
    if (reply->kind == Reply::Kind::kError) co_return "the login is refused: " + reply->text;
  }
  const std::string database = std::to_string(login.database);
  // Also where it is the first: the reply shows that commands are taken, with this login.
  const std::array<std::string_view, 2> select = {"SELECT", database};
  const std::array<std::string_view, 1> ping = {"PING"};
  Result<Reply> reply = co_await Ask(login.database == 0 ? Command(ping) : Command(select), deadline);
  if (!reply) co_return reply.error().message;
  if (reply->kind == Reply::Kind::kError) co_return reply->text;
  co_return "";
}

bool Connection::Send(Command command, Sent* sent) {
  constexpr std::size_t kFew = 16;
  std::array<const char*, kFew> few;
  std::array<std::size_t, kFew> few_sizes;
  std::vector<const char*> many;
  std::vector<std::size_t> many_sizes;
  const char** words = few.data();
  std::size_t* sizes = few_sizes.data();
  if (command.size() > kFew) {
    many.resize(command.size());
    many_sizes.resize(command.size());
    words = many.data();
    sizes = many_sizes.data();
  }
  for (std::size_t i = 0; i < command.size(); ++i) {
    words[i] = command[i].data();
    sizes[i] = command[i].size();
  }
  if (redisAsyncCommandArgv(context_, &Connection::OnReply, sent, static_cast<int>(command.size()), words, sizes) !=
      REDIS_OK) {
    delete sent;
    return false;
  }
  ++pending_;
  return true;
}

Awaitable<Result<Reply>> Connection::Ask(Command command, Deadline deadline) {
  if (!open()) co_return ClosedError(why_closed_);
  Waiting waiting(executor_);
  waiting.deadline = deadline;
  waiting.sent = new Sent{&waiting};
  if (!Send(command, waiting.sent)) {
    waiting.sent = nullptr;
    co_return ClosedError("it is closing");
  }
  waiting_->waiting.push_back(waiting);
  Arm(deadline);
  Answer answer = co_await waiting.waiter.Wait();
  co_return *std::move(answer);
}

void Connection::Tell(Command command) {
  if (open()) Send(command, new Sent);
}

void Connection::OnReply(redisAsyncContext* context, void* reply, void* data) {
  const std::unique_ptr<Sent> sent(static_cast<Sent*>(data));
  auto* const self = static_cast<Connection*>(context->data);
  const auto* const read = static_cast<const redisReply*>(reply);
  if (self != nullptr) --self->pending_;
  if (sent->waiting == nullptr) {
    if (self != nullptr && read != nullptr && read->type == REDIS_REPLY_ERROR) {
      ++self->refused_;
      self->last_refusal_.assign(read->str, static_cast<std::size_t>(read->len));
    }
    return;
  }
  Waiting& waiting = *sent->waiting;
  waiting.sent = nullptr;
  waiting.unlink();
  if (!waiting.waiter.waiting()) return;  // it was cancelled, and will unwind
  if (read == nullptr) {
    waiting.waiter.Resume(Answer(ClosedError(context->err != 0 ? context->errstr : "the connection was given up")));
  } else {
    waiting.waiter.Resume(Answer(CopyOf(*read)));
  }
}

void Connection::Arm(Deadline deadline) {
  if (deadline >= armed_) return;
  armed_ = deadline;
  timer_.expires_at(deadline);
  timer_.async_wait([this, list = std::weak_ptr<List>(waiting_)](const boost::system::error_code& error) {
    if (!error && !list.expired()) Expire();
  });
}

void Connection::Expire() {
  // Each that is resumed may send commands, or destroy the connection.
  const std::weak_ptr<List> alive = waiting_;
  const Clock::time_point now = Clock::now();
  armed_ = Deadline::max();
  while (true) {
    Waiting* expired = nullptr;
    Deadline next = Deadline::max();
    for (Waiting& waiting : waiting_->waiting) {
      if (waiting.deadline <= now) {
        expired = &waiting;
        break;
      }
      next = std::min(next, waiting.deadline);
    }
    if (expired == nullptr) return Arm(next);
    expired->unlink();
    std::exchange(expired->sent, nullptr)->waiting = nullptr;
    if (expired->waiter.waiting()) expired->waiter.Resume(Answer(DeadlineExceeded("Redis: no reply in time")));
    if (alive.expired()) return;
  }
}

void Connection::Closed(std::string why) {
  context_ = nullptr;
  why_closed_ = why.empty() ? "the connection was closed" : std::move(why);
  if (connecting_ && connecting_->waiting()) return connecting_->Resume(why_closed_);
  if (closed_) std::exchange(closed_, nullptr)();
}

}  // namespace pointsman::redis
