// router/pipeline/gather.h: several coroutines at once, and one that waits for all of them.
#pragma once

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <vector>

#include "base/async.h"

namespace pointsman::pipeline {

// Loop thread only. It must outlive its jobs: whoever started one waits. A terminal cancellation of the waiting
// coroutine goes on to the jobs, and the wait ends when they have unwound.
class Gather {
 public:
  explicit Gather(Executor executor) : executor_(executor) {}
  Gather(const Gather&) = delete;
  Gather& operator=(const Gather&) = delete;

  // Starts a job, which may refer to what outlives the wait.
  void Start(Awaitable<void> job);

  // Cancels the jobs that are left; they unwind in their next steps. A job may call it: it happens after that job's
  // step, for a coroutine must not be cancelled while it runs.
  void CancelAll();

  // Until every job has ended. Rethrows the first exception of a job that was not cancelled.
  Awaitable<void> Wait();

 private:
  using Handler =
      typename asio::async_result<asio::use_awaitable_t<Executor>, void(boost::system::error_code)>::handler_type;

  struct Job {
    asio::cancellation_signal signal;
    bool ended = false;
  };

  void Ended(Job& job, const std::exception_ptr& failure);
  void EmitAll();
  Awaitable<void> UntilIdle();

  Executor executor_;
  std::vector<std::unique_ptr<Job>> jobs_;
  std::size_t running_ = 0;
  bool cancelled_ = false;
  std::exception_ptr failure_;
  std::optional<Handler> handler_;
};

}  // namespace pointsman::pipeline
