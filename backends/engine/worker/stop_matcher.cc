#include "backends/engine/worker/stop_matcher.h"

#include <algorithm>
#include <utility>

namespace pointsman::engine {

std::string StopMatcher::Feed(std::string_view text) {
  if (stopped_) return {};
  if (stops_.empty()) return std::string(text);
  held_.append(text);

  // The one that is complete first; of two that end together, the longer. So the pieces in which text comes do not
  // matter.
  std::size_t begin = std::string::npos, end = std::string::npos;
  for (const std::string& stop : stops_) {
    const std::size_t at = held_.find(stop);
    if (at == std::string::npos) continue;
    const std::size_t at_end = at + stop.size();
    if (at_end < end || (at_end == end && at < begin)) {
      begin = at;
      end = at_end;
    }
  }
  if (begin != std::string::npos) {
    stopped_ = true;
    held_.resize(begin);
    return std::exchange(held_, {});
  }

  // The longest tail that is the beginning of some stop string stays.
  std::size_t keep = 0;
  for (const std::string& stop : stops_) {
    std::size_t length = std::min(stop.size() - 1, held_.size());
    while (length > keep && held_.compare(held_.size() - length, length, stop, 0, length) != 0) --length;
    keep = std::max(keep, length);
  }
  std::string out = held_.substr(0, held_.size() - keep);
  held_.erase(0, out.size());
  return out;
}

std::string StopMatcher::Finish() { return std::exchange(held_, {}); }

}  // namespace pointsman::engine
