#include "backends/engine/llama/library.h"

#include <llama.h>
#include <unistd.h>

#include <cstdlib>
#include <mutex>

namespace pointsman::engine {
namespace {

thread_local std::string* t_capture = nullptr;
thread_local std::string t_captured;
thread_local ggml_log_level t_level = GGML_LOG_LEVEL_NONE;

// llama.cpp tells every tensor and buffer at level info: only warnings and errors are for the operator.
void Log(ggml_log_level level, const char* text, void*) {
  if (level == GGML_LOG_LEVEL_CONT) {
    level = t_level;
  } else {
    t_level = level;
  }
  if (level != GGML_LOG_LEVEL_WARN && level != GGML_LOG_LEVEL_ERROR) return;
  std::string line = text;
  while (!line.empty() && line.back() == '\n') line.pop_back();
  if (line.empty()) return;
  if (t_capture == nullptr) return WriteLogLine(level == GGML_LOG_LEVEL_ERROR ? "error: " + line : "warning: " + line);
  if (t_capture->size() > 2000) return;
  if (!t_capture->empty()) *t_capture += "; ";
  *t_capture += line;
}

}  // namespace

void WriteLogLine(const std::string& text) {
  // One write a line, so that lines of several threads and of the router, which shares this stderr, do not mix.
  const std::string line = "engine: " + text + "\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

void InitLlama() {
  static std::once_flag once;
  std::call_once(once, [] {
    setenv("GGML_NO_BACKTRACE", "1", 1);  // else an abort forks a debugger where one is installed
    llama_log_set(Log, nullptr);
    llama_backend_init();
  });
}

LogCapture::LogCapture() {
  t_captured.clear();
  t_capture = &t_captured;
}

LogCapture::~LogCapture() { t_capture = nullptr; }

std::string LogCapture::Text(const std::string& otherwise) const { return t_captured.empty() ? otherwise : t_captured; }

}  // namespace pointsman::engine
