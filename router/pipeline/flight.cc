#include "router/pipeline/flight.h"

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "router/pipeline/flights.h"
#include "router/telemetry/log.h"

namespace pointsman::pipeline {
namespace {

std::size_t BytesOf(const v1::CompleteEvent& event) { return event.ByteSizeLong(); }

// What a flight that was ended from outside, or by a bug, says to those who are left on it.
Landing WithoutAnswer(runtime::Ending ending) {
  Landing landing;
  switch (ending) {
    case runtime::Ending::kShutdown:
      landing.failure.emplace(Failure{Unavailable("the server is shutting down"), {}, {}});
      landing.final = true;
      break;
    case runtime::Ending::kDeadline:
      landing.failure.emplace(Failure{DeadlineExceeded("the deadline passed"), {}, {}});
      break;
    case runtime::Ending::kClientGone: landing.failure.emplace(Failure{Cancelled("the client is gone"), {}, {}}); break;
    case runtime::Ending::kNone:
      landing.failure.emplace(Failure{Internal("internal error"), {}, {}});
      landing.final = true;
      break;
  }
  return landing;
}

}  // namespace

Flight::Flight(Flights& flights, const cache::Key& key, Executor executor, Deadline deadline, std::string request_id)
    : LiveCall(deadline),
      flights_(flights),
      key_(key),
      executor_(executor),
      request_id_(std::move(request_id)),
      room_(executor) {}

void Flight::Begin(runtime::LiveCalls& calls, Awaitable<void> execution) {
  calls.Add(*this);
  auto ended = [self = shared_from_this()](const std::exception_ptr& error) { self->Ended(error); };
  asio::co_spawn(executor_, std::move(execution), asio::bind_cancellation_slot(signal_.slot(), std::move(ended)));
}

void Flight::Ended(const std::exception_ptr& error) {
  if (is_linked()) unlink();
  if (error && ending() == runtime::Ending::kNone) {
    std::string what = "unknown exception";
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& e) {
      what = e.what();
    } catch (...) {
    }
    telemetry::Log(telemetry::Level::kError, "a bug: an exception ended a flight",
                   {{"request_id", request_id_}, {"what", what}});
  }
  Land(WithoutAnswer(ending()));
}

Awaitable<bool> Flight::Write(const v1::CompleteEvent& event) {
  {
    const std::lock_guard lock(mutex_);
    if (event.has_route()) {
      decision_ = std::make_shared<const v1::Trace>(event.route());
    } else {
      contents_.push_back(std::make_shared<const v1::CompleteEvent>(event));
      bytes_ += BytesOf(event);
    }
    Wake(false);
  }
  while (TooFarAhead()) co_await room_.Wait();
  co_return true;
}

bool Flight::TooFarAhead() {
  const std::lock_guard lock(mutex_);
  wants_room_ = whole_ == 0 && !passengers_.empty() && bytes_ - taken_bytes_ > kMostAhead;
  return wants_room_;
}

// With the lock. Posted: it may be called from a coroutine of the same loop.
void Flight::MakeRoom() {
  if (!wants_room_) return;
  wants_room_ = false;
  auto resume = [self = shared_from_this()] {
    if (self->room_.waiting()) self->room_.Resume(true);
  };
  asio::post(executor_, std::move(resume));
}

bool Flight::TakeBack() {
  const std::lock_guard lock(mutex_);
  if (taken_ > 0) return false;
  contents_.clear();
  bytes_ = 0;
  return true;
}

// With the lock. `all`: those as well that wait for the end only.
void Flight::Wake(bool all) {
  for (const std::shared_ptr<Passenger>& passenger : passengers_) {
    if (passenger->woken || !(all || passenger->streams)) continue;
    passenger->woken = true;
    auto resume = [passenger] {
      if (passenger->waiter.waiting()) passenger->waiter.Resume(true);
    };
    asio::post(passenger->executor, std::move(resume));
  }
}

void Flight::Dissolve() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = dissolved_ = true;
    Wake(true);
  }
  flights_.Remove(*this);
}

void Flight::Land(Landing landing) {
  {
    auto shared = std::make_shared<const Landing>(std::move(landing));
    const std::lock_guard lock(mutex_);
    if (landing_ != nullptr) return;
    landing_ = std::move(shared);
    closed_ = true;
    Wake(true);
  }
  flights_.Remove(*this);
}

bool Flight::Board(const std::shared_ptr<Passenger>& passenger) {
  const std::lock_guard lock(mutex_);
  if (closed_) return false;
  if (first_ == nullptr) first_ = passenger.get();
  passengers_.push_back(passenger);
  if (!passenger->streams) {
    ++whole_;
    MakeRoom();
  }
  return true;
}

void Flight::Leave(const Passenger& passenger) {
  {
    const std::lock_guard lock(mutex_);
    const auto is = [&](const std::shared_ptr<Passenger>& other) { return other.get() == &passenger; };
    if (std::erase_if(passengers_, is) == 0) return;
    if (!passenger.streams) --whole_;
    if (!passengers_.empty() || landing_ != nullptr) return;
    closed_ = true;
  }
  flights_.Remove(*this);
  // Posted: it may be called from the execution's own loop, and a coroutine must not be cancelled while it runs.
  asio::post(executor_, [self = shared_from_this()] { self->End(runtime::Ending::kClientGone); });
}

// With the lock. false: there is nothing new.
bool Flight::Take(Passenger& passenger, News& news) {
  if (dissolved_ && &passenger != first_) {
    news.dissolved = true;
    return true;
  }
  if (passenger.streams && !passenger.decision && decision_ != nullptr) {
    passenger.decision = true;
    news.decision = decision_;
    return true;
  }
  if (passenger.streams && passenger.next < contents_.size()) {
    news.content = contents_[passenger.next++];
    if (passenger.next > taken_) {
      taken_ = passenger.next;
      taken_bytes_ += BytesOf(*news.content);
      MakeRoom();
    }
    return true;
  }
  news.landing = landing_;
  return landing_ != nullptr;
}

Awaitable<News> Flight::Next(const std::shared_ptr<Passenger>& passenger) {
  News news;
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (Take(*passenger, news)) break;
      passenger->woken = false;  // whoever posts from now on finds it waiting
    }
    co_await passenger->waiter.Wait();
  }
  co_return news;
}

}  // namespace pointsman::pipeline
