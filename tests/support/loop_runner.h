// tests/support/loop_runner.h: runs coroutines of a test on an event loop of the test's own thread.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <optional>
#include <utility>

#include "base/async.h"

namespace pointsman::testing {

// Runs `body` until it is done and returns its value. What else the loop has to do goes on meanwhile, and waits in the
// loop afterwards. An exception in the body comes out here.
template <class T>
T RunOn(Loop& loop, Awaitable<T> body) {
  std::optional<T> value;
  std::exception_ptr failure;
  bool done = false;
  auto finish = [&](std::exception_ptr e, T result) {
    failure = e;
    if (!e) value.emplace(std::move(result));
    done = true;
  };
  asio::co_spawn(loop, std::move(body), std::move(finish));
  loop.restart();
  while (!done && loop.run_one() > 0) {
  }
  if (failure) std::rethrow_exception(failure);
  return *std::move(value);
}

}  // namespace pointsman::testing
