#include "tests/support/llama_server.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>

namespace pointsman::testing {
namespace {

std::string Path(const char* variable, const char* otherwise) {
  const char* set = std::getenv(variable);
  return set && *set ? set : std::string(POINTSMAN_SOURCE_DIR "/") + otherwise;
}

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

// A port that is free now. The kernel hands out others first before it gives this one to somebody else.
int FreePort() {
  int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  ::bind(socket, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(socket);
  return ntohs(address.sin_port);
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
  std::string port = std::to_string(port_);
  child_ = ::fork();
  if (child_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    int null = ::open("/dev/null", O_RDWR);
    ::dup2(null, 0);
    ::dup2(null, 1);
    ::dup2(null, 2);
    ::execl(program.c_str(), program.c_str(), "--host", "127.0.0.1", "--port", port.c_str(), "-m", model.c_str(), "-c",
            "1024", "-np", "1", "-t", "1", nullptr);
    ::_exit(127);
  }
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
