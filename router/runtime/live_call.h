// router/runtime/live_call.h: the calls that a shard serves, so that each can be ended: by its client, its deadline, or
// the server's shutdown.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>

#include "base/async.h"

namespace pointsman::runtime {

// Why a call was ended from outside.
enum class Ending { kNone, kClientGone, kDeadline, kShutdown };

// Loop thread only.
class LiveCall : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  explicit LiveCall(Deadline deadline) : deadline_(deadline) {}
  virtual ~LiveCall() = default;

  Deadline deadline() const { return deadline_; }
  Ending ending() const { return ending_; }

  // Interrupts the call's coroutine where it waits; the first reason counts. The coroutine unwinds from the loop,
  // later.
  void End(Ending why) {
    if (ending_ == Ending::kNone) ending_ = why;
    signal_.emit(boost::asio::cancellation_type::terminal);
    Interrupt();
  }

 protected:
  // Makes a wait that is deaf to the signal end soon: a write to a client that does not read.
  virtual void Interrupt() = 0;

  boost::asio::cancellation_signal signal_;

 private:
  const Deadline deadline_;
  Ending ending_ = Ending::kNone;
};

// Loop thread only. Ends calls whose deadline has passed, within kSweep of it: the last resort for those that wait for
// something without a timer of its own, which is a client that does not read.
class LiveCalls {
 public:
  static constexpr std::chrono::milliseconds kSweep{50};

  explicit LiveCalls(Loop& loop) : timer_(loop) {}

  void Add(LiveCall& call);
  void EndAll(Ending why);
  std::size_t size() const { return calls_.size(); }
  bool empty() const { return calls_.empty(); }

 private:
  void Arm();

  boost::intrusive::list<LiveCall, boost::intrusive::constant_time_size<false>> calls_;
  boost::asio::basic_waitable_timer<Clock, boost::asio::wait_traits<Clock>, Executor> timer_;
  bool armed_ = false;
};

}  // namespace pointsman::runtime
