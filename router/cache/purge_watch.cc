#include "router/cache/purge_watch.h"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <exception>

namespace pointsman::cache {

// Kept alive by the coroutine.
struct PurgeWatch::State {
  State(Executor executor, RedisCache& r, Purges& p) : redis(r), purges(p), timer(executor) {}

  static Awaitable<void> Run(std::shared_ptr<State> self);

  RedisCache& redis;
  Purges& purges;
  asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor> timer;
  asio::cancellation_signal signal;
  bool stopping = false;
};

Awaitable<void> PurgeWatch::State::Run(std::shared_ptr<State> self) {
  while (true) {
    bool read = false;
    if (self->redis.client().usable()) {
      const Result<void> caught_up = co_await CatchUp(self->redis, self->purges);
      if (self->stopping) co_return;
      read = caught_up.ok();
    }
    co_await self->purges.ForgetInMemory();
    if (self->stopping) co_return;
    self->timer.expires_after(read ? kInterval : kLook);
    co_await self->timer.async_wait(kAwait);
    if (self->stopping) co_return;
  }
}

PurgeWatch::PurgeWatch(Executor executor, RedisCache& redis, Purges& purges)
    : state_(std::make_shared<State>(executor, redis, purges)) {
  auto run = State::Run(state_);
  asio::co_spawn(executor, std::move(run),
                 asio::bind_cancellation_slot(state_->signal.slot(), [state = state_](const std::exception_ptr&) {}));
}

PurgeWatch::~PurgeWatch() {
  state_->stopping = true;
  state_->signal.emit(asio::cancellation_type::terminal);
}

}  // namespace pointsman::cache
