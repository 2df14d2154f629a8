#include "router/cli/progress_bar.h"

#include <unistd.h>

#include <cstdio>
#include <string>

namespace pointsman::cli {
namespace {
constexpr int kWidth = 30;
}  // namespace

ProgressBar::ProgressBar() : terminal_(isatty(STDERR_FILENO) == 1) {}

void ProgressBar::Show(std::string_view stage, double share) {
  const Clock::time_point now = Clock::now();
  if (!terminal_ || now - start_ < std::chrono::seconds(2) || now - shown_ < std::chrono::milliseconds(100)) return;
  shown_ = now;
  const int filled = static_cast<int>(share * kWidth);
  const std::string bar = std::string(filled, '#') + std::string(kWidth - filled, '.');
  std::fprintf(stderr, "\r\033[K%s [%s] %3d %%", std::string(stage).c_str(), bar.c_str(),
               static_cast<int>(100 * share));
}

void ProgressBar::Clear() {
  if (shown_ != Clock::time_point{}) std::fputs("\r\033[K", stderr);
}

}  // namespace pointsman::cli
