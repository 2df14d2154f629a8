// router/pipeline/flight.h: one execution of a cacheable request, for all who ask the same while it is under way
// (docs/cache-flights.md). "Flight" as in Go's golang.org/x/sync/singleflight; here the clients also get the tokens as
// they come, and the execution belongs to none of them.
#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/waiter.h"
#include "router/cache/memory_cache.h"
#include "router/gateway/status.h"
#include "router/pipeline/execute.h"
#include "router/runtime/live_call.h"
#include "router/telemetry/metrics.h"

namespace pointsman::pipeline {

class Flights;

// Why a request has no answer.
struct Failure {
  Error error;
  std::vector<gateway::FailedAttempt> attempts;
  std::optional<v1::PartialAnswer> partial;  // once part of the answer had reached a client
};

// How a flight ended: with the answer of an earlier request, with an answer of its own, or with a failure.
struct Landing {
  std::optional<cache::Entry> entry;
  telemetry::CacheResult found = telemetry::CacheResult::kMiss;  // where the entry was found
  v1::CompleteResponse response;                                 // without an entry
  std::optional<Failure> failure;
  bool final = false;  // of a failure: trying again is of no use
  v1::Trace trace;     // of the execution
};

// What a passenger gets next: one of these.
struct News {
  std::shared_ptr<const v1::Trace> decision;         // first, where something was decided
  std::shared_ptr<const v1::CompleteEvent> content;  // then, only to those that stream
  std::shared_ptr<const Landing> landing;            // the end
  bool dissolved = false;                            // the end: the answer may not be shared after all
};

// A client that waits for a flight. Its waiter belongs to its own loop, the rest to the flight.
struct Passenger {
  Passenger(Executor e, bool s) : executor(e), streams(s), waiter(e) {}

  const Executor executor;
  const bool streams;
  Waiter<bool> waiter;
  std::size_t next = 0;   // of the contents
  bool decision = false;  // it was given
  bool woken = false;     // somebody has posted to its loop since it last looked
};

// Its execution runs on the loop of the request that began it and writes what it has to say into the flight, which
// keeps it all; each passenger reads it from the beginning at its own pace, on any loop. The execution is cancelled
// when the last passenger has left. Any thread, but for what says otherwise. Held by shared_ptr; its Flights outlive
// it.
class Flight final : public EventStream, public runtime::LiveCall, public std::enable_shared_from_this<Flight> {
 public:
  // What nobody has taken yet stops the execution above this, unless somebody wants the answer whole: an answer that is
  // read slowly is generated slowly.
  static constexpr std::size_t kMostAhead = std::size_t{1} << 20;  // bytes

  // `executor` is that of the execution's loop; `deadline` is the execution's.
  Flight(Flights& flights, const cache::Key& key, Executor executor, Deadline deadline, std::string request_id);

  const cache::Key& key() const { return key_; }
  const std::string& request_id() const { return request_id_; }  // of the request that began it

  // Runs the execution; loop thread of `executor`, once. `calls` are those of the same loop.
  void Begin(runtime::LiveCalls& calls, Awaitable<void> execution);

  // The execution's, on its loop. A route is kept as the decision; never false.
  Awaitable<bool> Write(const v1::CompleteEvent& event) override;
  bool TakeBack() override;
  // Only the passenger who was first stays; the others are told to go on by themselves.
  void Dissolve();
  // The end; the first one counts.
  void Land(Landing landing);

  // false: too late, it has ended or nobody is left on it.
  bool Board(const std::shared_ptr<Passenger>& passenger);
  void Leave(const Passenger& passenger);
  // What `passenger` has not got yet. On its loop; a cancellation ends the wait.
  Awaitable<News> Next(const std::shared_ptr<Passenger>& passenger);

 private:
  void Interrupt() override {}
  void Ended(const std::exception_ptr& error);
  bool Take(Passenger& passenger, News& news);
  bool TooFarAhead();
  void Wake(bool all);
  void MakeRoom();

  Flights& flights_;
  const cache::Key key_;
  const Executor executor_;
  const std::string request_id_;
  Waiter<bool> room_;  // loop thread: the execution waits here for somebody to take what there is

  std::mutex mutex_;  // of what follows
  std::vector<std::shared_ptr<Passenger>> passengers_;
  const Passenger* first_ = nullptr;  // who began it; only to compare
  std::size_t whole_ = 0;             // passengers that do not stream
  std::shared_ptr<const v1::Trace> decision_;
  std::vector<std::shared_ptr<const v1::CompleteEvent>> contents_;
  std::size_t bytes_ = 0;        // of the contents
  std::size_t taken_ = 0;        // contents that somebody has got
  std::size_t taken_bytes_ = 0;  // of these
  bool wants_room_ = false, closed_ = false, dissolved_ = false;
  std::shared_ptr<const Landing> landing_;
};

}  // namespace pointsman::pipeline
