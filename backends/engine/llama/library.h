// backends/engine/llama/library.h: llama.cpp's process-wide set-up. The folder llama/ is the only one that includes
// headers of llama.cpp; without POINTSMAN_LOCAL_ENGINE it is not built.
#pragma once

#include <string>

namespace pointsman::engine {

// Once, before anything else of llama.cpp: back end, log lines to stderr as "engine: ...", no debugger at an abort.
void InitLlama();

// One line to stderr, as "engine: ...". Any thread.
void WriteLogLine(const std::string& text);

// While it lives, errors and warnings that llama.cpp logs in this thread are collected and not written: for calls that
// only return NULL and log the reason. Not nested.
class LogCapture {
 public:
  LogCapture();
  ~LogCapture();
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;

  // The collected lines, joined by "; ", without trailing newlines; `otherwise` when there are none.
  std::string Text(const std::string& otherwise) const;
};

}  // namespace pointsman::engine
