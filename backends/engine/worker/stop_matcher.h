// backends/engine/worker/stop_matcher.h: ends an answer before the first stop string, and never shows part of one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pointsman::engine {

// Single thread. Stop strings are 1 to 256 bytes, at most 16 of them (chat.proto).
class StopMatcher {
 public:
  explicit StopMatcher(std::vector<std::string> stops) : stops_(std::move(stops)) {}

  // Adds text and returns what may be shown: everything but a tail that could be the beginning of a stop string. When a
  // stop string is complete, returns the text before it; stopped() is then true and nothing comes any more.
  std::string Feed(std::string_view text);

  // The end of the answer: a tail that was held back is text after all.
  std::string Finish();

  bool stopped() const { return stopped_; }

  // Bytes held back.
  std::size_t held() const { return held_.size(); }

 private:
  std::vector<std::string> stops_;
  std::string held_;
  bool stopped_ = false;
};

}  // namespace pointsman::engine
