#include "backends/engine/worker/stop_matcher.h"

#include <algorithm>
#include <utility>

namespace pointsman::engine {

std::string StopMatcher::Feed(std::string_view text) {
  if (stopped_) return {};
  if (stops_.empty()) return std::string(text);
  held_.append(text);

  std::size_t first = std::string::npos;
  for (const std::string& stop : stops_) first = std::min(first, held_.find(stop));
  if (first != std::string::npos) {
    stopped_ = true;
    held_.resize(first);
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
