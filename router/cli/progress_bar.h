// router/cli/progress_bar.h: how far a long command is.
#pragma once

#include <string_view>

#include "base/async.h"

namespace pointsman::cli {

// A bar on a terminal's standard error, for what takes longer than two seconds; nothing elsewhere. One thread.
class ProgressBar {
 public:
  ProgressBar();
  void Show(std::string_view stage, double share);
  void Clear();

 private:
  const bool terminal_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point shown_{};
};

}  // namespace pointsman::cli
