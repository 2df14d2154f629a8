#include "backends/engine/worker/permits.h"

#include <algorithm>

namespace pointsman::engine {

Permits::Permits(unsigned total) : total_(std::max(1u, total)), free_(total_) {}

void Permits::Enter() {
  std::lock_guard lock(mutex_);
  ++working_;
}

void Permits::Leave() {
  std::lock_guard lock(mutex_);
  --working_;
}

unsigned Permits::Share() const {
  std::lock_guard lock(mutex_);
  return std::max(1u, total_ / std::max(1u, working_));
}

unsigned Permits::Acquire(unsigned count) {
  count = std::clamp(count, 1u, total_);
  std::unique_lock lock(mutex_);
  const std::uint64_t ticket = next_ticket_++;
  // A waiter at the front keeps those behind it waiting even when their smaller wish could be met: that is what makes
  // it fair to wide steps.
  changed_.wait(lock, [&] { return serving_ == ticket && free_ >= count; });
  ++serving_;
  free_ -= count;
  if (free_ > 0) changed_.notify_all();
  return count;
}

void Permits::Release(unsigned count) {
  {
    std::lock_guard lock(mutex_);
    free_ += count;
  }
  changed_.notify_all();
}

}  // namespace pointsman::engine
