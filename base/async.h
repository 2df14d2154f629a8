// base/async.h: the coroutine vocabulary of the project. Everything of a request runs on one event loop, an
// io_context(1) that one thread runs; no strands and no thread pools inside a request (Boost.Asio 1.81's co_spawn
// cancellation is only safe that way). g++ 12.2 miscompiles a co_await expression that contains a lambda or a braced
// aggregate: name it first (CONTRIBUTING.md; a lint in the tests finds them).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

namespace pointsman {

namespace asio = boost::asio;

using Loop = asio::io_context;
using Executor = Loop::executor_type;
template <class T>
using Awaitable = asio::awaitable<T, Executor>;
inline constexpr asio::use_awaitable_t<Executor> kAwait{};

using Clock = std::chrono::steady_clock;

// When a request must be done, on the steady clock. Clock::time_point::max() = never.
using Deadline = Clock::time_point;

}  // namespace pointsman
