#include "tests/support/llama_server.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "tests/support/child.h"

namespace pointsman::testing {
namespace {

std::string Path(const char* variable, const char* otherwise) {
  const char* set = std::getenv(variable);
  return set && *set ? set : std::string(POINTSMAN_SOURCE_DIR "/") + otherwise;
}

}  // namespace

LlamaServer::LlamaServer() {
  std::string program = Path("POINTSMAN_LLAMA_SERVER", "build/deps/llama-server/llama-server");
  std::string model = Path("POINTSMAN_TEST_MODEL", "build/models/smollm2-135m-instruct-q8_0.gguf");
  for (const std::string& file : {program, model}) {
    if (!std::filesystem::exists(file)) {
      problem_ = "missing: " + file +
                 "\nscripts/test makes it; or set POINTSMAN_LLAMA_SERVER to llama.cpp's llama-server and "
                 "POINTSMAN_TEST_MODEL to a GGUF file of an instruct model";
      return;
    }
  }
  for (int attempt = 0; attempt < 3 && child_ < 0; ++attempt) {
    if (Start(program, model)) return;
  }
  problem_ = program + " did not become ready within 120 s; run it by hand: " + program + " -m " + model;
}

bool LlamaServer::Start(const std::string& program, const std::string& model) {
  port_ = FreePort();
  child_ = Spawn({program, "--host", "127.0.0.1", "--port", std::to_string(port_), "-m", model, "-c", "1024", "-np",
                  "1", "-t", "1"});
  child_fd_ = static_cast<int>(::syscall(SYS_pidfd_open, child_, 0));
  pollfd ended{child_fd_, POLLIN, 0};
  auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(120);
  while (std::chrono::steady_clock::now() < limit) {
    if (Healthy()) return true;
    if (::poll(&ended, 1, 50) == 1) break;  // until the next look, or its death
  }
  Stop();
  return false;
}

void LlamaServer::Stop() {
  if (child_ < 0) return;
  ::kill(child_, SIGKILL);
  ::waitpid(child_, nullptr, 0);
  ::close(child_fd_);
  child_ = child_fd_ = -1;
}

LlamaServer::~LlamaServer() { Stop(); }

// GET /health says 200 once the model is loaded.
bool LlamaServer::Healthy() const {
  int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  timeval patience{5, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr_in address = Loopback(port_);
  std::string answer;
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    std::string_view request = "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    char piece[512];
    if (::send(socket, request.data(), request.size(), MSG_NOSIGNAL) > 0) {
      for (ssize_t n; (n = ::recv(socket, piece, sizeof piece, 0)) > 0;)
        answer.append(piece, static_cast<std::size_t>(n));
    }
  }
  ::close(socket);
  return answer.starts_with("HTTP/1.1 200");
}

}  // namespace pointsman::testing
