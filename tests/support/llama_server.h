// tests/support/llama_server.h: llama.cpp's own OpenAI-compatible server as a child process: a server that we did not
// write.
#pragma once

#include <sys/types.h>

#include <string>

namespace pointsman::testing {

// Starts the server on a free port of 127.0.0.1 with one slot of 1,024 tokens, and waits until it can answer. It dies
// with the test. The program is that of the environment variable POINTSMAN_LLAMA_SERVER, else
// build/deps/llama-server/llama-server of the source tree; the model that of POINTSMAN_TEST_MODEL, else
// build/models/smollm2-135m-instruct-q8_0.gguf. One thread.
class LlamaServer {
 public:
  LlamaServer();
  ~LlamaServer();
  LlamaServer(const LlamaServer&) = delete;
  LlamaServer& operator=(const LlamaServer&) = delete;

  // Why it does not run, and what to do about it; empty when it runs.
  const std::string& problem() const { return problem_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/v1"; }

 private:
  bool Start(const std::string& program, const std::string& model);
  bool Healthy() const;
  void Stop();

  std::string problem_;
  pid_t child_ = -1;
  int child_fd_ = -1;  // pidfd
  int port_ = 0;
};

}  // namespace pointsman::testing
