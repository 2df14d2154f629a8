// base/waiter.h: a coroutine waits here until somebody on the same loop resumes it with a value.
#pragma once

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/error_code.hpp>
#include <optional>
#include <utility>

#include "base/async.h"

namespace pointsman {

// One-shot, reusable: Wait, Resume, Wait, Resume... Loop thread only; at most one waiter at a time. The Waiter must
// outlive the wait.
template <class T>
class Waiter {
 public:
  explicit Waiter(Executor executor) : executor_(executor) {}
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  // Suspends until Resume. Terminal cancellation of the coroutine ends the wait with operation_aborted (thrown).
  Awaitable<T> Wait() {
    return Initiate(true, [] {});
  }

  // Calls `start` once the coroutine is suspended, then waits, deaf to cancellation: for operations that are sure to
  // end and whose buffers live in the coroutine's frame. When the coroutine was cancelled before, `start` is never
  // called.
  template <class Start>
  Awaitable<T> StartAndWait(Start start) {
    return Initiate(false, std::move(start));
  }

  bool waiting() const { return handler_.has_value(); }

  // Resumes the waiter inline; the Waiter may be gone when this returns. Only when waiting().
  void Resume(T value) {
    Handler handler = Take();
    std::move(handler)(boost::system::error_code(), std::move(value));
  }

 private:
  using Handler =
      typename asio::async_result<asio::use_awaitable_t<Executor>, void(boost::system::error_code, T)>::handler_type;

  template <class Start>
  Awaitable<T> Initiate(bool cancellable, Start start) {
    auto initiation = [this, cancellable, start = std::move(start)](auto handler) mutable {
      auto slot = asio::get_associated_cancellation_slot(handler);
      handler_.emplace(std::move(handler));
      if (cancellable && slot.is_connected()) {
        slot.assign([this](asio::cancellation_type type) {
          if ((type & asio::cancellation_type::terminal) != asio::cancellation_type::none && handler_) Abort();
        });
      }
      start();
    };
    return asio::async_initiate<const asio::use_awaitable_t<Executor>, void(boost::system::error_code, T)>(
        std::move(initiation), kAwait);
  }

  Handler Take() {
    Handler handler = std::move(*handler_);
    handler_.reset();
    return handler;
  }

  // Posted, never inline: the unwinding destroys what is emitting the signal.
  void Abort() {
    auto resume = [handler = Take()]() mutable {
      std::move(handler)(boost::system::error_code(asio::error::operation_aborted), T());
    };
    asio::post(executor_, std::move(resume));
  }

  Executor executor_;
  std::optional<Handler> handler_;
};

}  // namespace pointsman
