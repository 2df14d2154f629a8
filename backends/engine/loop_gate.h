// backends/engine/loop_gate.h: the way from gRPC's threads to an event loop that may end before they do.
#pragma once

#include <boost/asio/post.hpp>
#include <mutex>
#include <utility>

#include "base/async.h"

namespace pointsman::engine {

// Shared by what lives on the loop and by the calls under way. Any thread.
class LoopGate {
 public:
  explicit LoopGate(Loop& loop) : loop_(&loop) {}

  // Runs `function` on the loop, soon. False, and it is dropped, after Close().
  template <class F>
  bool Post(F&& function) {
    std::lock_guard lock(mutex_);
    if (loop_ == nullptr) return false;
    asio::post(*loop_, std::forward<F>(function));
    return true;
  }

  // From here on the loop is not touched any more; it may be destroyed.
  void Close() {
    std::lock_guard lock(mutex_);
    loop_ = nullptr;
  }

  // Whether Close() was called: what was posted before it may run after it. Loop thread.
  bool closed() {
    std::lock_guard lock(mutex_);
    return loop_ == nullptr;
  }

 private:
  std::mutex mutex_;
  Loop* loop_;
};

}  // namespace pointsman::engine
