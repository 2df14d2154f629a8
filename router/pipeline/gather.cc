#include "router/pipeline/gather.h"

#include <utility>

namespace pointsman::pipeline {

void Gather::Start(Awaitable<void> job) {
  Job& started = *jobs_.emplace_back(std::make_unique<Job>());
  ++running_;
  auto ended = [this, &started](const std::exception_ptr& failure) { Ended(started, failure); };
  asio::co_spawn(executor_, std::move(job), asio::bind_cancellation_slot(started.signal.slot(), std::move(ended)));
}

void Gather::CancelAll() {
  // It runs before the waiter is resumed, which is posted later, so `this` is alive.
  auto emit = [this] { EmitAll(); };
  asio::post(executor_, std::move(emit));
}

void Gather::EmitAll() {
  cancelled_ = true;
  for (auto& job : jobs_) {
    if (!job->ended) job->signal.emit(asio::cancellation_type::terminal);
  }
}

void Gather::Ended(Job& job, const std::exception_ptr& failure) {
  job.ended = true;
  if (failure && !cancelled_ && !failure_) failure_ = failure;
  if (--running_ > 0 || !handler_) return;
  // Posted: the job's frame is still being left, and the waiter may destroy what it refers to.
  auto resume = [handler = *std::exchange(handler_, std::nullopt)]() mutable {
    std::move(handler)(boost::system::error_code());
  };
  asio::post(executor_, std::move(resume));
}

Awaitable<void> Gather::UntilIdle() {
  auto initiation = [this](auto handler) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    handler_.emplace(std::move(handler));
    if (!slot.is_connected()) return;
    slot.assign([this](asio::cancellation_type type) {
      if ((type & asio::cancellation_type::terminal) != asio::cancellation_type::none) EmitAll();
    });
  };
  return asio::async_initiate<const asio::use_awaitable_t<Executor>, void(boost::system::error_code)>(
      std::move(initiation), kAwait);
}

Awaitable<void> Gather::Wait() {
  if (running_ > 0) co_await UntilIdle();
  if (failure_) std::rethrow_exception(failure_);
}

}  // namespace pointsman::pipeline
