// backends/engine/worker/permits.h: who may compute now. Two models that decode at once with more threads than there
// are cores are many times slower than in turn (spin barriers wait for threads that do not run), so every engine step
// takes as many permits as it will use threads.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace pointsman::engine {

// A counting semaphore that serves in the order of arrival: a plain mutex lets one engine starve the other. Any thread.
class Permits {
 public:
  // `total` >= 1: usually the cores of the machine.
  explicit Permits(unsigned total);

  // An engine announces that it has work, so that its neighbours share the cores with it (Share). Balanced by Leave().
  void Enter();
  void Leave();

  // Threads that each working engine should use now: total / engines that have work, at least 1.
  unsigned Share() const;

  // Blocks until `count` permits are free and everybody who came before was served. `count` is cut to [1, total];
  // returns what was taken, which Release() gives back.
  unsigned Acquire(unsigned count);
  void Release(unsigned count);

  unsigned total() const { return total_; }
  unsigned waiting() const;  // in Acquire() now

 private:
  const unsigned total_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  unsigned free_;
  unsigned working_ = 0;
  std::uint64_t next_ticket_ = 0;
  std::uint64_t serving_ = 0;  // tickets below it have been served
};

}  // namespace pointsman::engine
