#include "router/redis/client.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <random>
#include <utility>

namespace pointsman::redis {
namespace {

using std::chrono::milliseconds;
using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor>;

constexpr milliseconds kOpenTimeout{1000}, kProbeTimeout{1000};
constexpr milliseconds kShortestPause{50}, kLongestPause{1000};
constexpr unsigned kProbes = 3;  // without an answer; then the connection is given up

// Whether a server that answers so cannot serve at all now.
bool CannotServe(const Reply& reply) {
  return reply.IsError("LOADING") || reply.IsError("MASTERDOWN") || reply.IsError("NOAUTH");
}

}  // namespace

Health::Counts Health::counts() const {
  return {replies_.load(), errors_.load(), timeouts_.load(), unavailable_.load(), changes_.load()};
}

bool Health::usable() const {
  const std::lock_guard lock(mutex_);
  return clients_ > 0 && up_ == clients_;
}

std::string Health::why_not() const {
  const std::lock_guard lock(mutex_);
  return clients_ > 0 && up_ == clients_ ? "" : why_not_;
}

void Health::Join() {
  const std::lock_guard lock(mutex_);
  ++clients_;
}

void Health::Leave(bool was_up) {
  const std::lock_guard lock(mutex_);
  --clients_;
  if (was_up) --up_;
}

void Health::Up(const std::string& address) {
  const std::lock_guard lock(mutex_);
  ++up_;
  if (up_ < clients_) return;
  changes_.fetch_add(1);
  spdlog::info("redis: connected to {}", address);
  said_down_ = false;
}

void Health::Down(const std::string& why, bool was_up) {
  const std::lock_guard lock(mutex_);
  if (was_up) --up_;
  why_not_ = why;
  if (said_down_) return;
  changes_.fetch_add(1);
  spdlog::warn("redis: {}; requests are served without it", why);
  said_down_ = true;
}

// Kept alive by the coroutine that looks for the server.
struct Client::State : std::enable_shared_from_this<State> {
  State(Executor e, Options o, Health& h) : executor(e), options(std::move(o)), health(h), woken(e), pause(e) {}

  // Until it is cancelled: finds the server, opens a connection, watches it. A wait that had just ended when it was
  // cancelled goes on one step, without a connection: hence the looks at `stopping`.
  static Awaitable<void> Run(std::shared_ptr<State> self);
  Awaitable<Result<Address>> Locate();
  Awaitable<Result<void>> Open();
  Awaitable<void> Watch();
  Awaitable<bool> Probe();
  Awaitable<void> Pause(milliseconds time);

  void SetUsable(bool now, const std::string& why);
  void Wake();
  void Trip(std::string why);
  void SeeRefusals();
  void SeeReadOnly();

  Executor executor;
  const Options options;
  Health& health;
  bool stopping = false;
  bool usable = false;
  std::size_t next = 0;  // address to try
  Address address;       // of the connection
  std::unique_ptr<Connection> connection;
  unsigned slow = 0;               // time-outs in a row
  std::string tripped;             // why the breaker opened; "" = it is closed
  bool moved = false;              // the server is no master any more
  std::uint64_t seen_refused = 0;  // of the connection
  Waiter<bool> woken;              // the watcher
  bool wake = false;               // it was to be woken before it waited
  Timer pause;
  std::minstd_rand random{std::random_device{}()};
  asio::cancellation_signal signal;
};

void Client::State::SetUsable(bool now, const std::string& why) {
  if (stopping) return;
  if (now && !usable) {
    health.Up(ToString(address));
  } else if (!now) {
    health.Down(why, usable);
  }
  usable = now;
}

void Client::State::Wake() {
  wake = true;
  if (woken.waiting()) woken.Resume(true);
}

void Client::State::Trip(std::string why) {
  if (!tripped.empty()) return;
  tripped = std::move(why);
  SetUsable(false, ToString(address) + ": " + tripped);
  Wake();
}

// Refusals of what was told come later; they are counted with the next command.
void Client::State::SeeRefusals() {
  const std::uint64_t refused = connection->refused();
  health.errors_.fetch_add(refused - seen_refused, std::memory_order_relaxed);
  if (refused > seen_refused && connection->last_refusal().starts_with("READONLY")) SeeReadOnly();
  seen_refused = refused;
}

// After a failover this server is a replica: the Sentinels know the new master. Without them it is all there is.
void Client::State::SeeReadOnly() {
  if (!options.sentinel || moved) return;
  moved = true;
  Wake();
}

Awaitable<Result<Address>> Client::State::Locate() {
  if (!options.sentinel) co_return options.addresses[next % options.addresses.size()];
  const Address& sentinel = options.addresses[next % options.addresses.size()];
  const Deadline deadline = Clock::now() + kOpenTimeout;
  const Login nobody;
  auto opened = co_await Connection::Open(executor, sentinel, nobody, deadline);
  if (!opened) co_return Unavailable("Sentinel " + opened.error().message);
  const std::array<std::string_view, 3> words = {"SENTINEL", "get-master-addr-by-name", *options.sentinel};
  Result<Reply> reply = co_await (*opened)->Ask(words, deadline);
  const std::string at = "Sentinel " + ToString(sentinel);
  if (!reply) co_return Unavailable(at + ": " + reply.error().message);
  if (reply->kind != Reply::Kind::kArray || reply->elements.size() != 2) {
    co_return Unavailable(at + " knows no master '" + *options.sentinel + "'");
  }
  Address master;
  master.host = reply->elements[0].text;
  master.port = std::atoi(reply->elements[1].text.c_str());
  co_return master;
}

Awaitable<Result<void>> Client::State::Open() {
  Result<Address> located = co_await Locate();
  ++next;
  if (!located) co_return std::move(located).error();
  address = *located;
  const Deadline deadline = Clock::now() + kOpenTimeout;
  auto opened = co_await Connection::Open(executor, address, options.login, deadline);
  if (!opened) co_return std::move(opened).error();
  if (options.sentinel) {
    const std::array<std::string_view, 1> role = {"ROLE"};
    Result<Reply> reply = co_await (*opened)->Ask(role, deadline);
    if (!reply) co_return std::move(reply).error();
    if (reply->elements.empty() || reply->elements[0].text != "master") {
      co_return Unavailable(ToString(address) + " is no master (yet)");
    }
  }
  connection = *std::move(opened);
  co_return Result<void>();
}

// Until the connection closed, or is not worth keeping.
Awaitable<void> Client::State::Watch() {
  // Posted: hiredis is still at work with the connection when it says that it closed.
  connection->OnClose([this] {
    asio::post(executor, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->Wake();
    });
  });
  while (true) {
    if (!wake) co_await woken.Wait();
    if (stopping) co_return;  // the client is gone, and the connection with it
    wake = false;
    if (!connection->open()) co_return SetUsable(false, ToString(address) + ": " + connection->why_closed());
    if (moved) co_return SetUsable(false, ToString(address) + " is no master any more");
    if (tripped.empty()) continue;
    const bool answers = co_await Probe();
    if (stopping || !answers) co_return;
    tripped.clear();
    slow = 0;
    SetUsable(true, "");
  }
}

Awaitable<bool> Client::State::Probe() {
  const std::array<std::string_view, 1> ping = {"PING"};
  for (unsigned probe = 0; probe < kProbes && connection->open(); ++probe) {
    Result<Reply> reply = co_await connection->Ask(ping, Clock::now() + kProbeTimeout);
    if (stopping) co_return false;
    if (reply && reply->kind != Reply::Kind::kError) co_return true;
    // An error comes at once, as from a server that loads its data: asked again later, for as long as it takes.
    if (reply) {
      probe = 0;
      co_await Pause(kShortestPause);
      if (stopping) co_return false;
    }
  }
  co_return false;
}

Awaitable<void> Client::State::Pause(milliseconds time) {
  pause.expires_after(time);
  co_await pause.async_wait(kAwait);
}

Awaitable<void> Client::State::Run(std::shared_ptr<State> self) {
  milliseconds time = kShortestPause;
  while (true) {
    Result<void> opened = co_await self->Open();
    if (self->stopping) co_return;
    if (opened) {
      self->tripped.clear();
      self->slow = 0;
      self->moved = false;
      self->seen_refused = 0;
      self->wake = false;
      self->SetUsable(true, "");
      const Clock::time_point since = Clock::now();
      co_await self->Watch();
      if (self->stopping) co_return;
      self->connection.reset();
      // A server that closes what it has just accepted is not asked without end.
      if (Clock::now() - since > kLongestPause) time = kShortestPause;
    } else {
      self->SetUsable(false, opened.error().message);
    }
    // Up to a quarter shorter, so that the shards and replicas do not all come at once.
    const milliseconds shorter(std::uniform_int_distribution<long>(0, time.count() / 4)(self->random));
    co_await self->Pause(time - shorter);
    if (self->stopping) co_return;
    time = std::min(2 * time, kLongestPause);
  }
}

Client::Client(Executor executor, Options options, Health& health)
    : state_(std::make_shared<State>(executor, std::move(options), health)) {
  health.Join();
  auto run = State::Run(state_);
  asio::co_spawn(executor, std::move(run),
                 asio::bind_cancellation_slot(state_->signal.slot(), [state = state_](const std::exception_ptr&) {}));
}

Client::~Client() {
  state_->health.Leave(state_->usable);
  state_->stopping = true;
  state_->usable = false;
  if (state_->executor.running_in_this_thread()) {
    state_->signal.emit(asio::cancellation_type::terminal);
  } else {  // then Asio would emit later, when the coroutine may have ended
    state_->Wake();
    state_->pause.cancel();
  }
  state_->connection.reset();  // ends the waits for replies
}

const std::string& Client::last_refusal() const {
  static const std::string none;
  return state_->connection ? state_->connection->last_refusal() : none;
}

bool Client::usable() const { return state_->usable; }

Awaitable<Result<Reply>> Client::Ask(Command command, std::optional<milliseconds> timeout) {
  const std::shared_ptr<State> state = state_;
  if (!state->usable || state->connection->pending() >= kMostPending) {
    state->health.unavailable_.fetch_add(1, std::memory_order_relaxed);
    co_return Unavailable("Redis is not usable");
  }
  const Deadline deadline = Clock::now() + timeout.value_or(state->options.timeout);
  Result<Reply> reply = co_await state->connection->Ask(command, deadline);
  if (state->stopping) co_return reply;
  Health& health = state->health;
  if (!reply) {
    const bool late = reply.error().code == Code::kDeadlineExceeded;
    (late ? health.timeouts_ : health.unavailable_).fetch_add(1, std::memory_order_relaxed);
    if (late && ++state->slow >= kSlowInARow) state->Trip("it does not answer in time");
    co_return reply;
  }
  state->slow = 0;
  health.replies_.fetch_add(1, std::memory_order_relaxed);
  if (reply->kind == Reply::Kind::kError) {
    health.errors_.fetch_add(1, std::memory_order_relaxed);
    if (CannotServe(*reply)) state->Trip(reply->text);
    if (reply->IsError("READONLY")) state->SeeReadOnly();
  }
  co_return reply;
}

std::vector<Address> Client::Masters() const { return {state_->address}; }

Awaitable<Result<Reply>> Client::AskMaster(Address /*master*/, Command command, milliseconds timeout) {
  return Ask(command, timeout);
}

bool Client::Tell(Command command) {
  if (!state_->usable || state_->connection->pending() >= kMostPending) {
    state_->health.unavailable_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  state_->connection->Tell(command);
  state_->SeeRefusals();
  return true;
}

}  // namespace pointsman::redis
