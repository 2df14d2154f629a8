// backends/engine/worker/thread_tuner.h: how many threads an engine step should use on a machine that does other
// things.
//
// On free cores a step with two threads is nearly twice as fast as with one. With something else on one of the cores it
// is many times slower: the threads of a step wait for each other at every operation, and one of them does not run. So
// an engine goes wide as long as that pays, and narrow when wide steps are slower than narrow ones, or have become much
// slower than they were; from time to time it tries again.
#pragma once

#include <array>
#include <cstddef>

namespace pointsman::engine {

// Single thread. Steps are compared with steps of like size only: tokens in the batch, by powers of two.
class ThreadTuner {
 public:
  // Threads for the next step: `wish` (>= 1), or 1 where wide steps do not pay now.
  unsigned Choose(unsigned wish, std::size_t tokens);

  // What that step took, in seconds.
  void Report(unsigned threads, std::size_t tokens, double seconds);

  static constexpr double kCollapse = 2.5;     // times slower than the best wide ones: wide is given up
  static constexpr double kWorse = 1.5;        // times slower than narrow ones: likewise
  static constexpr unsigned kFirstNarrow = 4;  // after so many wide steps one narrow one is made, to know what it takes
  static constexpr unsigned kFirstProbe = 32;  // narrow steps until wide is tried again; doubles up to
  static constexpr unsigned kLastProbe = 1024;

 private:
  struct Size {
    double best_wide = 0;  // seconds, 0 = not known; forgets by 1 % a step, as steps grow with the context
    double wide = 0;       // moving averages, 0 = not known
    double narrow = 0;
    unsigned wide_steps = 0;
    bool go_wide = true;
    bool probing = false;
    unsigned until_probe = 0;
    unsigned interval = kFirstProbe;
  };
  Size& Of(std::size_t tokens);

  std::array<Size, 16> sizes_;
};

}  // namespace pointsman::engine
