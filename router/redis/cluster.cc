#include "router/redis/cluster.h"

#include <algorithm>
#include <array>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <charconv>
#include <utility>

#include "router/redis/slot.h"

namespace pointsman::redis {
namespace {

using std::chrono::milliseconds;
using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor>;

constexpr milliseconds kReadTimeout{1000};  // of the map, from one server
constexpr milliseconds kLeastPause{100};    // between two readings
constexpr milliseconds kLook{1000};         // how often it is looked whether a server is not usable

struct Range {
  std::size_t first, last;
  Address master;
};

// What CLUSTER SLOTS says: [first, last, [host, port, ...] of the master, replicas ...] for each range. A server that
// does not know its own name leaves the host empty: then it is the one that was asked.
std::vector<Range> RangesOf(const Reply& reply, const Address& asked) {
  std::vector<Range> ranges;
  for (const Reply& range : reply.elements) {
    if (range.elements.size() < 3 || range.elements[2].elements.size() < 2) continue;
    const std::int64_t first = range.elements[0].integer, last = range.elements[1].integer;
    const Reply& master = range.elements[2];
    if (first < 0 || last < first || last >= static_cast<std::int64_t>(kSlots)) continue;
    Address address{master.elements[0].text, static_cast<int>(master.elements[1].integer)};
    if (address.host.empty()) address.host = asked.host;
    ranges.push_back({static_cast<std::size_t>(first), static_cast<std::size_t>(last), std::move(address)});
  }
  return ranges;
}

// Where "MOVED 3999 127.0.0.1:6381" and "ASK 3999 ..." point.
std::optional<Address> TargetOf(const std::string& error) {
  const std::size_t host = error.find(' ', error.find(' ') + 1) + 1, colon = error.rfind(':');
  if (host == 0 || colon == std::string::npos || colon <= host) return std::nullopt;
  Address address{error.substr(host, colon - host), 0};
  std::from_chars(error.data() + colon + 1, error.data() + error.size(), address.port);
  return address.port > 0 ? std::optional(address) : std::nullopt;
}

}  // namespace

struct Cluster::State : std::enable_shared_from_this<State> {
  State(Executor e, Options o, Health& h) : executor(e), options(std::move(o)), health(h), timer(e) {
    slots.fill(kNobody);
  }

  // For ever: reads the map when there is a reason to.
  static Awaitable<void> Run(std::shared_ptr<State> self);
  Awaitable<std::string> ReadMap();
  Awaitable<std::string> ReadMapFrom(Address address);
  void Use(const std::vector<Range>& ranges);
  void ReadAgain();

  Client* Of(Command command) const;
  Client* At(const Address& address);

  static constexpr std::uint16_t kNobody = 0xFFFF;
  struct Node {
    Address address;
    std::unique_ptr<Client> client;
  };

  Executor executor;
  const Options options;
  Health& health;
  std::vector<Node> nodes;
  std::array<std::uint16_t, kSlots> slots;  // index of the node
  bool known = false;                       // the map was read
  bool stale = false;                       // a redirection was seen
  bool stopping = false;
  Timer timer;
  asio::cancellation_signal signal;
};

Awaitable<std::string> Cluster::State::ReadMapFrom(Address address) {
  const Deadline deadline = Clock::now() + kReadTimeout;
  auto opened = co_await Connection::Open(executor, address, options.login, deadline);
  if (!opened) co_return opened.error().message;
  const std::array<std::string_view, 2> words = {"CLUSTER", "SLOTS"};
  Result<Reply> reply = co_await (*opened)->Ask(words, deadline);
  if (!reply) co_return ToString(address) + ": " + reply.error().message;
  if (reply->kind != Reply::Kind::kArray) co_return ToString(address) + " is in no cluster: " + reply->text;
  const std::vector<Range> ranges = RangesOf(*reply, address);
  if (stopping) co_return "it is given up";
  if (ranges.empty()) co_return ToString(address) + ": its cluster serves no slots (yet)";
  Use(ranges);
  co_return "";
}

// From the first server that has it: those that we know, then those of the configuration.
Awaitable<std::string> Cluster::State::ReadMap() {
  std::vector<Address> addresses;
  for (const Node& node : nodes) addresses.push_back(node.address);
  addresses.insert(addresses.end(), options.addresses.begin(), options.addresses.end());
  std::string why;
  for (const Address& address : addresses) {
    std::string failure = co_await ReadMapFrom(address);
    if (failure.empty()) co_return "";
    why = std::move(failure);
  }
  co_return why;
}

// Clients of servers that are still there stay.
void Cluster::State::Use(const std::vector<Range>& ranges) {
  std::vector<Node> before = std::exchange(nodes, {});
  slots.fill(kNobody);
  for (const Range& range : ranges) {
    const auto same = [&](const Node& node) { return node.address == range.master; };
    auto node = std::find_if(nodes.begin(), nodes.end(), same);
    if (node == nodes.end()) {
      const auto old = std::find_if(before.begin(), before.end(), same);
      if (old != before.end()) {
        nodes.push_back(std::move(*old));
        before.erase(old);
      } else {
        Options one = options;
        one.addresses = {range.master};
        nodes.push_back({range.master, std::make_unique<Client>(executor, std::move(one), health)});
      }
      node = std::prev(nodes.end());
    }
    const auto index = static_cast<std::uint16_t>(node - nodes.begin());
    std::fill(slots.begin() + static_cast<std::ptrdiff_t>(range.first),
              slots.begin() + static_cast<std::ptrdiff_t>(range.last) + 1, index);
  }
}

Awaitable<void> Cluster::State::Run(std::shared_ptr<State> self) {
  while (true) {
    self->stale = false;
    const std::string failure = co_await self->ReadMap();
    if (self->stopping) co_return;
    if (failure.empty() != self->known || !failure.empty()) {
      if (failure.empty()) {
        self->health.Up("a cluster of " + std::to_string(self->nodes.size()) + " servers");
      } else {
        self->health.Down(failure, self->known);
      }
      self->known = failure.empty();
    }
    self->timer.expires_after(kLeastPause);
    co_await self->timer.async_wait(kAwait);
    if (self->stopping) co_return;
    while (!self->stale && self->known) {
      self->timer.expires_after(kLook);
      boost::system::error_code woken;
      auto token = asio::redirect_error(kAwait, woken);
      co_await self->timer.async_wait(token);
      if (self->stopping) co_return;
      const bool all =
          std::all_of(self->nodes.begin(), self->nodes.end(), [](const Node& node) { return node.client->usable(); });
      if (!all) break;
    }
  }
}

void Cluster::State::ReadAgain() {
  if (stale) return;
  stale = true;
  timer.cancel();
}

Client* Cluster::State::Of(Command command) const {
  const std::uint16_t index = slots[SlotOf(KeyOf(command))];
  return index == kNobody ? nullptr : nodes[index].client.get();
}

// The server that a redirection names, where its client is there already.
Client* Cluster::State::At(const Address& address) {
  for (const Node& node : nodes) {
    if (node.address == address) return node.client.get();
  }
  return nullptr;
}

Cluster::Cluster(Executor executor, Options options, Health& health)
    : state_(std::make_shared<State>(executor, std::move(options), health)) {
  health.Join();
  auto run = State::Run(state_);
  asio::co_spawn(executor, std::move(run),
                 asio::bind_cancellation_slot(state_->signal.slot(), [state = state_](const std::exception_ptr&) {}));
}

Cluster::~Cluster() {
  state_->health.Leave(state_->known);
  state_->stopping = true;
  if (state_->executor.running_in_this_thread()) {
    state_->signal.emit(asio::cancellation_type::terminal);
  } else {  // then Asio would emit later, when the coroutine may have ended
    state_->timer.cancel();
  }
  state_->nodes.clear();  // ends the waits for replies
  state_->slots.fill(State::kNobody);
}

bool Cluster::usable() const {
  return state_->known && std::any_of(state_->nodes.begin(), state_->nodes.end(),
                                      [](const State::Node& node) { return node.client->usable(); });
}

Awaitable<Result<Reply>> Cluster::Ask(Command command, std::optional<milliseconds> timeout) {
  const std::shared_ptr<State> state = state_;
  Client* const client = state->Of(command);
  if (client == nullptr) co_return Unavailable("Redis is not usable");
  Result<Reply> reply = co_await client->Ask(command, timeout);
  const bool moved = reply && reply->IsError("MOVED "), on_its_way = reply && reply->IsError("ASK ");
  if (state->stopping || (!moved && !on_its_way)) co_return reply;
  if (moved) state->ReadAgain();
  const std::optional<Address> target = TargetOf(reply->text);
  Client* const other = target ? state->At(*target) : nullptr;
  if (other == nullptr) co_return reply;
  if (on_its_way) {
    const std::array<std::string_view, 1> asking = {"ASKING"};
    other->Tell(asking);
  }
  co_return co_await other->Ask(command, timeout);
}

std::vector<Address> Cluster::Masters() const {
  std::vector<Address> masters;
  for (const State::Node& node : state_->nodes) masters.push_back(node.address);
  return masters;
}

Awaitable<Result<Reply>> Cluster::AskMaster(Address master, Command command, milliseconds timeout) {
  Client* const client = state_->At(master);
  if (client == nullptr) co_return Unavailable("it is no master of the cluster any more");
  co_return co_await client->Ask(command, timeout);
}

bool Cluster::Tell(Command command) {
  Client* const client = state_->Of(command);
  if (client == nullptr || !client->Tell(command)) return false;
  if (client->last_refusal().starts_with("MOVED ")) state_->ReadAgain();
  return true;
}

}  // namespace pointsman::redis
