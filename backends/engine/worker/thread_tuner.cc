#include "backends/engine/worker/thread_tuner.h"

#include <algorithm>
#include <bit>

namespace pointsman::engine {
namespace {

void Follow(double& average, double value) { average = average == 0 ? value : 0.7 * average + 0.3 * value; }

}  // namespace

ThreadTuner::Size& ThreadTuner::Of(std::size_t tokens) {
  const auto width = static_cast<std::size_t>(std::bit_width(tokens));
  return sizes_[std::min(width, sizes_.size() - 1)];
}

unsigned ThreadTuner::Choose(unsigned wish, std::size_t tokens) {
  Size& size = Of(tokens);
  if (wish <= 1) return 1;
  if (size.go_wide) return size.narrow == 0 && size.wide_steps >= kFirstNarrow ? 1 : wish;
  if (size.until_probe > 0) {
    --size.until_probe;
    return 1;
  }
  size.probing = true;
  return wish;
}

void ThreadTuner::Report(unsigned threads, std::size_t tokens, double seconds) {
  Size& size = Of(tokens);
  if (threads <= 1) return Follow(size.narrow, seconds);
  if (size.probing) {
    size.probing = false;
    if (seconds < size.narrow) {
      size.go_wide = true;
      size.wide = seconds;
      size.interval = kFirstProbe;
    } else {
      size.interval = std::min(size.interval * 2, kLastProbe);
      size.until_probe = size.interval;
    }
    return;
  }
  ++size.wide_steps;
  Follow(size.wide, seconds);
  size.best_wide = size.best_wide == 0 ? seconds : std::min(size.best_wide * 1.01, seconds);
  if (size.wide > kCollapse * size.best_wide || (size.narrow > 0 && size.wide > kWorse * size.narrow)) {
    size.go_wide = false;
    size.until_probe = size.interval;
  }
}

}  // namespace pointsman::engine
