// bench/floors/mock_upstream.cc: an OpenAI-compatible server that costs next to nothing, so that what is measured in
// front of it is not the server. One thread, epoll, HTTP/1.1 keep-alive, loopback only. POST of anything: a completion
// of about 600 bytes at once, or, when the body says "stream":true, 50 events of about 230 bytes every 20 ms, then the
// finish reason, the usage and [DONE]. It reads no more of the request than it needs.
//
// --at-once LOW-HIGH: an answer of LOW to HIGH bytes of words instead, at once also when streamed (kPieces events in
// one write). Its size (in equal shares of the logarithm) and words depend on the request's bytes only.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <queue>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bench/floors/payload.h"

namespace pointsman::bench {
namespace {

constexpr std::size_t kMaxRequestBytes = 1 << 20;
constexpr std::size_t kMaxConnections = 4096;
constexpr std::int64_t kPeriod = std::chrono::nanoseconds(kChunkPeriod).count();

constexpr std::size_t kPieces = 8;

constexpr std::string_view kStreamHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

constexpr std::string_view kEventHead =
    R"({"id":"chatcmpl-bench-0000000000000000","object":"chat.completion.chunk","created":1700000000,"model":"bench",)"
    R"("system_fingerprint":"fp_bench","choices":[)";

// One SSE event in one chunk of the chunked transfer encoding.
std::string Event(std::string_view data) {
  char size[24];
  int length = std::snprintf(size, sizeof size, "%zx\r\n", data.size() + 8);
  std::string out(size, static_cast<std::size_t>(length));
  return out.append("data: ").append(data).append("\n\n\r\n");
}

std::string DeltaEvent(std::string_view text) {
  return Event(std::string(kEventHead) + R"({"index":0,"delta":{"content":")" + std::string(text) +
               R"("},"logprobs":null,"finish_reason":null}]})");
}

std::string LastEvents() {
  return Event(std::string(kEventHead) + R"({"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]})") +
         Event(std::string(kEventHead) +
               R"(],"usage":{"prompt_tokens":64,"completion_tokens":50,"total_tokens":114}})") +
         Event("[DONE]") + "0\r\n\r\n";
}

std::string Answer(std::string_view status, std::string_view body) {
  return "HTTP/1.1 " + std::string(status) +
         "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

std::string Completion(std::string_view text) {
  std::string body =
      R"({"id":"chatcmpl-bench-0000000000000000","object":"chat.completion","created":1700000000,"model":"bench",)"
      R"("system_fingerprint":"fp_bench","choices":[{"index":0,"message":{"role":"assistant","content":")" +
      std::string(text) +
      R"("},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":64,"completion_tokens":60,"total_tokens":124}})";
  return Answer("200 OK", body);
}

// Of the option --at-once; high 0: it was not given.
struct Sizes {
  std::size_t low = 0, high = 0;
};

// Words of the long answer in an order that the request's bytes give: it compresses about as text does.
std::string Words(std::string_view request, const Sizes& sizes) {
  static const std::vector<std::string_view> words = [] {
    std::vector<std::string_view> found;
    const std::string_view all = LongAnswer();
    for (std::size_t at = 0; at < all.size();) {
      const std::size_t end = std::min(all.find(' ', at), all.size());
      found.push_back(all.substr(at, end - at));
      at = end + 1;
    }
    return found;
  }();
  std::minstd_rand random(static_cast<unsigned>(std::hash<std::string_view>()(request)));
  const double share = static_cast<double>(random() % 10'000) / 10'000;
  const double ratio = static_cast<double>(sizes.high) / static_cast<double>(sizes.low);
  const auto bytes = static_cast<std::size_t>(static_cast<double>(sizes.low) * std::pow(ratio, share));
  std::string text;
  while (text.size() < bytes) (text += words[random() % words.size()]) += ' ';
  text.resize(bytes);
  return text;
}

struct Connection {
  explicit Connection(int descriptor) : fd(descriptor) {}
  ~Connection() { close(fd); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int fd;
  std::string in, out;
  int chunks_left = 0;       // > 0: a stream is under way
  bool wants_write = false;  // EPOLLOUT is armed
};

struct Tick {
  std::int64_t due;
  std::weak_ptr<Connection> connection;
  bool operator>(const Tick& other) const { return due > other.due; }
};

class Mock {
 public:
  explicit Mock(Sizes sizes) : sizes_(sizes) {}

  int Run(std::uint16_t port) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 1024) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      std::perror("mock_upstream: cannot listen on 127.0.0.1");
      return 1;
    }
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    Watch(EPOLL_CTL_ADD, listener_, EPOLLIN);
    std::printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    std::fflush(stdout);
    for (;;) Turn();
  }

 private:
  void Watch(int operation, int fd, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    epoll_ctl(epoll_, operation, fd, &event);
  }

  void Turn() {
    timespec wait{};
    if (!ticks_.empty()) {
      std::int64_t left = std::max<std::int64_t>(0, ticks_.top().due - NowNanoseconds());
      wait = {left / 1'000'000'000, left % 1'000'000'000};
    }
    epoll_event events[256];
    int count = epoll_pwait2(epoll_, events, 256, ticks_.empty() ? nullptr : &wait, nullptr);
    for (int i = 0; i < count; ++i) {
      int fd = events[i].data.fd;
      if (fd == listener_) {
        Accept();
      } else if (auto it = connections_.find(fd); it != connections_.end()) {
        std::shared_ptr<Connection> c = it->second;
        if (!Serve(c)) connections_.erase(fd);
      }
    }
    for (std::int64_t now = NowNanoseconds(); !ticks_.empty() && ticks_.top().due <= now;) {
      Tick tick = ticks_.top();
      ticks_.pop();
      std::shared_ptr<Connection> c = tick.connection.lock();
      if (c && c->chunks_left > 0 && !Stream(c, tick.due)) connections_.erase(c->fd);
    }
  }

  void Accept() {
    int fd;
    while ((fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
      auto c = std::make_shared<Connection>(fd);
      if (connections_.size() >= kMaxConnections) continue;  // closed by the destructor
      int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      connections_[fd] = std::move(c);
      Watch(EPOLL_CTL_ADD, fd, EPOLLIN);
    }
  }

  // Reads, answers what is complete, writes. False: the connection is over.
  bool Serve(const std::shared_ptr<Connection>& c) {
    char buffer[16384];
    ssize_t got = read(c->fd, buffer, sizeof buffer);
    if (got == 0 || (got < 0 && errno != EAGAIN)) return false;
    if (got > 0) c->in.append(buffer, static_cast<std::size_t>(got));
    if (c->in.size() > kMaxRequestBytes) return false;
    while (c->chunks_left == 0 && TakeRequest(c)) {
    }
    return Flush(*c);
  }

  // Answers the first request in `in`, if it is there as a whole.
  bool TakeRequest(const std::shared_ptr<Connection>& c) {
    std::size_t head = c->in.find("\r\n\r\n");
    if (head == std::string::npos) return false;
    std::size_t length = 0;
    for (std::size_t line = c->in.find("\r\n"); line < head; line = c->in.find("\r\n", line + 2)) {
      constexpr std::string_view kName = "content-length:";
      if (strncasecmp(c->in.data() + line + 2, kName.data(), kName.size()) != 0) continue;
      length = std::strtoul(c->in.data() + line + 2 + kName.size(), nullptr, 10);
    }
    if (c->in.size() - head - 4 < length) return false;
    std::string_view body = std::string_view(c->in).substr(head + 4, length);
    bool stream = body.find("\"stream\":true") != body.npos || body.find("\"stream\": true") != body.npos;
    bool post = c->in.starts_with("POST ");
    std::string words = sizes_.high > 0 ? Words(body, sizes_) : "";
    c->in.erase(0, head + 4 + length);
    if (!post) {
      c->out += Answer("404 Not Found", R"({"error":{"message":"only POST is served here"}})");
    } else if (!stream) {
      c->out += words.empty() ? completion_ : Completion(words);
    } else if (!words.empty()) {
      c->out += kStreamHead;
      const std::size_t piece = words.size() / kPieces + 1;
      for (std::size_t at = 0; at < words.size(); at += piece) {
        c->out += DeltaEvent(std::string_view(words).substr(at, piece));
      }
      c->out += last_events_;
    } else {
      c->out += kStreamHead;
      c->chunks_left = kChunks;
      return Stream(c, NowNanoseconds());
    }
    return true;
  }

  // Sends the next chunk, which was due at `due`. False: the connection is over.
  bool Stream(const std::shared_ptr<Connection>& c, std::int64_t due) {
    c->out += DeltaEvent(ChunkText(NowNanoseconds()));
    if (--c->chunks_left > 0) {
      ticks_.push({due + kPeriod, c});
    } else {
      c->out += last_events_;
    }
    return Flush(*c);
  }

  bool Flush(Connection& c) {
    while (!c.out.empty()) {
      ssize_t sent = send(c.fd, c.out.data(), c.out.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN) return false;
      if (sent <= 0) break;
      c.out.erase(0, static_cast<std::size_t>(sent));
    }
    if (bool wants = !c.out.empty(); wants != c.wants_write) {
      c.wants_write = wants;
      Watch(EPOLL_CTL_MOD, c.fd, EPOLLIN | (wants ? EPOLLOUT : 0u));
    }
    return c.out.size() <= kMaxRequestBytes;  // a client that does not read is dropped
  }

  const Sizes sizes_;
  int listener_ = -1;
  int epoll_ = -1;
  std::unordered_map<int, std::shared_ptr<Connection>> connections_;
  std::priority_queue<Tick, std::vector<Tick>, std::greater<>> ticks_;
  const std::string completion_ = Completion(ShortAnswer());
  const std::string last_events_ = LastEvents();
};

}  // namespace
}  // namespace pointsman::bench

int main(int argc, char** argv) {
  int port = 0;
  pointsman::bench::Sizes sizes;
  bool good = argc % 2 == 1;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--port") {
      port = std::atoi(argv[i + 1]);
    } else if (name == "--at-once") {
      good = good && std::sscanf(argv[i + 1], "%zu-%zu", &sizes.low, &sizes.high) == 2 && sizes.low > 0 &&
             sizes.low <= sizes.high && sizes.high <= 100'000;
    } else {
      good = false;
    }
  }
  if (!good) {
    std::fprintf(stderr,
                 "usage: mock_upstream [--port N] [--at-once LOW-HIGH]   (loopback; 0 = any free port, printed)\n");
    return 2;
  }
  return pointsman::bench::Mock(sizes).Run(static_cast<std::uint16_t>(port));
}
