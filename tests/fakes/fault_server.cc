#include "tests/fakes/fault_server.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <ctime>
#include <optional>
#include <utility>
#include <vector>

#include "base/async.h"
#include "tests/fakes/fault_answers.h"

namespace pointsman::testing {
namespace {

using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor>;
using boost::system::error_code;

struct Request {
  std::string head, path, body, key;
  bool stream = false, get = false;
};

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::string HeaderOf(const std::string& head, std::string_view name) {
  std::size_t at = Lower(head).find("\r\n" + std::string(name) + ":");
  if (at == std::string::npos) return "";
  at += name.size() + 3;
  std::string value = head.substr(at, head.find("\r\n", at) - at);
  return value.substr(std::min(value.find_first_not_of(' '), value.size()));
}

std::string HttpDate(std::time_t at) {
  char text[64];
  std::tm utc{};
  gmtime_r(&at, &utc);
  std::size_t n = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc);
  return {text, n};
}

void ReplaceAll(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

}  // namespace

class FaultServer::Server {
 public:
  explicit Server(FaultServer& owner) : owner_(owner), acceptor_(loop_) {
    asio::ip::tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
    acceptor_.open(any.protocol());
    acceptor_.bind(any);
    acceptor_.listen(4096);
    owner_.port_ = acceptor_.local_endpoint().port();
    auto accept = Accept();
    asio::co_spawn(loop_, std::move(accept), asio::detached);
  }

  void Run() { loop_.run(); }
  void Stop() { loop_.stop(); }

  void Count(std::uint64_t Counts::*counter, std::int64_t by = 1) {
    std::lock_guard lock(owner_.mutex_);
    owner_.counts_.*counter += static_cast<std::uint64_t>(by);
    owner_.changed_.notify_all();
  }

 private:
  class Connection;
  Awaitable<void> Accept();
  static Awaitable<void> Serve(std::unique_ptr<Connection> connection);

  FaultServer& owner_;
  Loop loop_{1};
  Acceptor acceptor_;
};

// One connection: reads requests and answers them until either side closes.
class FaultServer::Server::Connection {
 public:
  Connection(Server& server, Socket socket)
      : server_(server), socket_(std::move(socket)), timer_(socket_.get_executor()) {
    server_.Count(&Counts::open);
  }
  ~Connection() {
    error_code ignored;
    socket_.close(ignored);  // before the count goes down
    server_.Count(&Counts::open, -1);
  }

  Awaitable<void> Run() {
    for (bool first = true;; first = false) {
      std::optional<Request> request = co_await Read();
      if (!request) co_return;
      {
        std::lock_guard lock(server_.owner_.mutex_);
        ++server_.owner_.counts_.requests;
        server_.owner_.last_head_ = request->head;
        server_.owner_.last_body_ = request->body;
        server_.owner_.changed_.notify_all();
      }
      Behaviour behaviour = ParseBehaviour(request->path);
      if (behaviour.name == "close_on_reuse" && !first) co_return;
      ok_ = true;
      keep_ = true;
      co_await Answer(*request, behaviour);
      server_.Count(ok_ ? &Counts::answered : &Counts::aborted);
      if (!ok_ || !keep_) co_return;
    }
  }

 private:
  Awaitable<std::optional<Request>> Read() {
    std::size_t end;
    while ((end = in_.find("\r\n\r\n")) == std::string::npos) {
      if (!co_await ReadSome()) co_return std::nullopt;
    }
    Request request;
    request.head = in_.substr(0, end + 2);
    std::size_t path = request.head.find(' ') + 1;
    request.path = request.head.substr(path, request.head.find(' ', path) - path);
    request.get = request.head.starts_with("GET ");
    request.key = HeaderOf(request.head, "authorization");
    std::size_t length = std::strtoull(HeaderOf(request.head, "content-length").c_str(), nullptr, 10);
    in_.erase(0, end + 4);
    while (in_.size() < length) {
      if (!co_await ReadSome()) co_return std::nullopt;
    }
    request.body = in_.substr(0, length);
    in_.erase(0, length);
    request.stream = request.body.find("\"stream\":true") != std::string::npos;
    co_return request;
  }

  Awaitable<bool> ReadSome() {
    error_code ec;
    auto buffer = asio::buffer(piece_);
    auto token = asio::redirect_error(kAwait, ec);
    std::size_t n = co_await socket_.async_read_some(buffer, token);
    if (ec) co_return false;
    in_.append(piece_.data(), n);
    co_return true;
  }

  // Writes all of `text`; ok_ = false when the client is gone.
  Awaitable<void> Write(std::string_view text) {
    while (ok_ && !text.empty()) {
      std::string_view now = dribble_ > 0 ? text.substr(0, dribble_) : text;
      text.remove_prefix(now.size());
      error_code ec;
      auto buffer = asio::buffer(now);
      auto token = asio::redirect_error(kAwait, ec);
      std::size_t n = co_await asio::async_write(socket_, buffer, token);
      server_.Count(&Counts::bytes, static_cast<std::int64_t>(n));
      if (ec) ok_ = false;
    }
  }

  // Writes one piece of a chunked HTTP body.
  Awaitable<void> WriteChunk(std::string_view text) {
    std::string eol_text;
    if (eol_ != "\n") {
      eol_text = text;
      ReplaceAll(eol_text, "\n", eol_);
      text = eol_text;
    }
    char size[24];
    int n = std::snprintf(size, sizeof size, "%zx\r\n", text.size());
    std::string framed(size, static_cast<std::size_t>(n));
    framed.append(text).append("\r\n");
    co_await Write(framed);
  }

  // Waits for the time, or for ever; ok_ = false when the client closed meanwhile.
  Awaitable<void> Pause(std::optional<std::chrono::microseconds> time) {
    using namespace asio::experimental::awaitable_operators;
    timer_.expires_at(time ? Clock::now() + *time : Clock::time_point::max());
    auto wait = timer_.async_wait(kAwait);
    auto readable = socket_.async_wait(Socket::wait_read, kAwait);
    auto either = co_await (std::move(wait) || std::move(readable));
    if (either.index() == 1) ok_ = false;  // it does not pipeline: readable means closed
  }

  Awaitable<void> StreamHead(std::string_view type = "text/event-stream") {
    std::string head =
        "HTTP/1.1 200 OK\r\nContent-Type: " + std::string(type) + "\r\nTransfer-Encoding: chunked\r\n\r\n";
    co_await Write(head);
  }

  Awaitable<void> Whole(std::string_view status, std::string_view type, std::string_view body,
                        std::string_view headers = {}) {
    std::string all = "HTTP/1.1 ";
    all.append(status).append("\r\nContent-Type: ").append(type).append("\r\n").append(headers);
    all.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n").append(body);
    co_await Write(all);
  }

  Awaitable<void> TextEvents(const Behaviour& behaviour, std::int64_t otherwise) {
    std::int64_t chunks = behaviour.Number("chunks", otherwise), bytes = behaviour.Number("bytes", 0);
    std::chrono::microseconds interval(behaviour.Number("interval_us", 0));
    for (std::int64_t i = 0; i < chunks && ok_; ++i) {
      if (i > 0 && interval.count() > 0) co_await Pause(interval);
      std::string event = TextEvent(ChunkText(i, bytes));
      co_await WriteChunk(event);
    }
  }

  Awaitable<void> Events(const std::vector<std::string>& events) {
    co_await StreamHead();
    for (const std::string& event : events) co_await WriteChunk(event);
    co_await Write("0\r\n\r\n");
  }

  Awaitable<void> Good(const Request& request, const Behaviour& behaviour) {
    if (behaviour.name == "slow_first_byte") {
      std::optional<std::chrono::microseconds> time;
      if (std::int64_t ms = behaviour.Number("ms", 0)) time = std::chrono::milliseconds(ms);
      co_await Pause(time);
    }
    if (behaviour.name == "close_idle") keep_ = false;
    std::int64_t chunks = behaviour.Number("chunks", 5);
    std::string finish = behaviour.Text("finish", "stop");
    if (!request.stream) {
      std::string text;
      for (std::int64_t i = 0; i < chunks; ++i) text += ChunkText(i, behaviour.Number("bytes", 0));
      std::string answer = WholeAnswer(text, finish, chunks);
      co_await Whole("200 OK", "application/json", answer);
      co_return;
    }
    co_await StreamHead();
    co_await TextEvents(behaviour, 5);
    std::string end = FinishEvent(finish) + UsageEvent(chunks) + std::string(kDone);
    co_await WriteChunk(end);
    if (behaviour.name == "lingering") co_await Pause(std::nullopt);
    co_await Write("0\r\n\r\n");
  }

  Awaitable<void> Status(const Request& request, const Behaviour& behaviour) {
    std::int64_t code = behaviour.Number("code", 500);
    std::string shape = behaviour.Text("shape", "openai");
    std::string headers;
    if (std::int64_t seconds = behaviour.Number("retry_after", 0)) {
      headers = "Retry-After: " + std::to_string(seconds) + "\r\n";
    } else if (std::int64_t date = behaviour.Number("retry_date", 0)) {
      headers = "Retry-After: " + HttpDate(std::time(nullptr) + date) + "\r\n";
    }
    std::string message = "fault " + std::to_string(code) + " on demand", reason = "fault";
    if (behaviour.name == "context_length") {
      code = 400;
      message = "This model's maximum context length is 16 tokens";
      reason = "context_length_exceeded";
    } else if (behaviour.name == "echo_key") {
      code = 401;
      message = "no such key: " + request.key;
    }
    std::string body = ErrorBody(shape, message, reason), status = std::to_string(code) + " Fault";
    co_await Whole(status, ErrorType(shape), body, headers);
  }

  Awaitable<void> Broken(const Request& request, const Behaviour& behaviour);
  Awaitable<void> Odd(const Request& request, const Behaviour& behaviour);
  Awaitable<void> Answer(const Request& request, const Behaviour& behaviour);

  Server& server_;
  Socket socket_;
  Timer timer_;
  std::string in_;
  std::array<char, 16384> piece_;
  std::string eol_ = "\n";
  std::size_t dribble_ = 0;
  bool ok_ = true;    // the client still listens
  bool keep_ = true;  // the connection stays open after the answer
};

// Answers that begin well and end badly.
Awaitable<void> FaultServer::Server::Connection::Broken(const Request& request, const Behaviour& behaviour) {
  const std::string& name = behaviour.name;
  if (!request.stream && name == "half_json") {
    std::string whole = WholeAnswer("half", "stop", 1);
    co_await Whole("200 OK", "application/json", std::string_view(whole).substr(0, whole.size() / 2));
    co_return;
  }
  if (name == "reset" && behaviour.Number("chunks", 2) == 0) {
    socket_.set_option(asio::socket_base::linger(true, 0));
    keep_ = false;
    co_return;
  }
  co_await StreamHead(request.stream ? "text/event-stream" : "application/json");
  if (name != "headers_only") co_await TextEvents(behaviour, 2);
  if (name == "headers_only" || name == "stall") {
    co_await Pause(std::nullopt);
  } else if (name == "reset" || name == "cut") {
    if (name == "reset") {  // once the kernel of the other side has every byte: a reset would overtake them
      int unsent = 1;
      while (ok_ && ::ioctl(socket_.native_handle(), SIOCOUTQ, &unsent) == 0 && unsent > 0) {
        co_await Pause(std::chrono::microseconds(200));
      }
      socket_.set_option(asio::socket_base::linger(true, 0));
    }
    keep_ = false;
  } else {
    if (name == "no_done") co_await WriteChunk(FinishEvent("stop"));
    if (name == "no_finish") co_await WriteChunk(kDone);
    if (name == "half_frame") co_await WriteChunk(std::string_view(TextEvent("never")).substr(0, 60));
    if (name == "half_json") co_await WriteChunk(Event(R"({"choices":[{"index":0,"delta":{"con)"));
    if (name == "stream_error") co_await WriteChunk(Event(ErrorBody("openai", "the model fell over", "500")));
    co_await Write("0\r\n\r\n");
  }
}

// Answers that are odd from the beginning.
Awaitable<void> FaultServer::Server::Connection::Odd(const Request& request, const Behaviour& behaviour) {
  const std::string& name = behaviour.name;
  if (name == "logprobs" || name == "tools") {
    bool tools = name == "tools";
    std::string whole = tools ? WholeTools() : WholeLogprobs();
    std::vector<std::string> events = tools ? ToolEvents() : LogprobEvents();
    if (request.stream) {
      co_await Events(events);
    } else {
      co_await Whole("200 OK", "application/json", whole);
    }
  } else if (name == "garbage") {
    std::string garbage = "\x01\xff{]data:\x02,,\n\ndata: \xfe\xff{\"\n\n";
    co_await Whole("200 OK", request.stream ? "text/event-stream" : "application/json", garbage);
  } else if (name == "huge_event") {
    std::vector<std::string> event{
        TextEvent(std::string(static_cast<std::size_t>(behaviour.Number("bytes", 4 << 20)), 'x'))};
    co_await Events(event);
  } else if (name == "flood") {
    co_await StreamHead();
    std::string event = TextEvent(ChunkText(0, behaviour.Number("bytes", 4096)));
    while (ok_) co_await WriteChunk(event);
  } else if (name == "wrong_type") {
    co_await Whole("200 OK", "text/html", "<html><body>Welcome to the proxy</body></html>");
  } else if (name == "redirect") {
    co_await Whole("302 Found", "text/plain", "elsewhere", "Location: /normal/chat/completions\r\n");
  } else {
    std::string body = ErrorBody("openai", "the fault server knows no " + name, "404");
    co_await Whole("404 Not Found", "application/json", body);
  }
}

Awaitable<void> FaultServer::Server::Connection::Answer(const Request& request, const Behaviour& behaviour) {
  static constexpr std::string_view kGood[] = {"normal", "lingering", "slow_first_byte", "close_idle",
                                               "close_on_reuse"};
  static constexpr std::string_view kStatus[] = {"status", "context_length", "echo_key"};
  static constexpr std::string_view kBroken[] = {"headers_only", "stall",       "reset",     "cut",
                                                 "truncate",     "no_done",     "no_finish", "half_frame",
                                                 "half_json",    "stream_error"};
  auto one_of = [&](auto& names) { return std::ranges::find(names, behaviour.name) != std::end(names); };
  dribble_ = static_cast<std::size_t>(behaviour.Number("dribble", 0));
  std::string eol = behaviour.Text("eol", "lf");
  eol_ = eol == "crlf" ? "\r\n" : eol == "cr" ? "\r" : "\n";
  if (request.get) return Whole("200 OK", "application/json", "{}");
  if (one_of(kGood)) return Good(request, behaviour);
  if (one_of(kStatus)) return Status(request, behaviour);
  if (one_of(kBroken)) return Broken(request, behaviour);
  return Odd(request, behaviour);
}

Awaitable<void> FaultServer::Server::Accept() {
  for (;;) {
    Socket socket = co_await acceptor_.async_accept(kAwait);
    socket.set_option(asio::ip::tcp::no_delay(true));
    Count(&Counts::connections);
    auto connection = std::make_unique<Connection>(*this, std::move(socket));
    auto serve = Serve(std::move(connection));
    asio::co_spawn(loop_, std::move(serve), asio::detached);
  }
}

Awaitable<void> FaultServer::Server::Serve(std::unique_ptr<Connection> connection) { co_await connection->Run(); }

FaultServer::FaultServer() : server_(std::make_unique<Server>(*this)), thread_([this] { server_->Run(); }) {}

FaultServer::~FaultServer() {
  server_->Stop();
  thread_.join();
  server_.reset();
}

std::string FaultServer::url(std::string_view behaviour) const {
  return "http://127.0.0.1:" + std::to_string(port_) + std::string(behaviour);
}

FaultServer::Counts FaultServer::counts() const {
  std::lock_guard lock(mutex_);
  return counts_;
}

bool FaultServer::WaitFor(const std::function<bool(const Counts&)>& condition, std::chrono::seconds limit) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [&] { return condition(counts_); });
}

std::string FaultServer::last_head() const {
  std::lock_guard lock(mutex_);
  return last_head_;
}

std::string FaultServer::last_body() const {
  std::lock_guard lock(mutex_);
  return last_body_;
}

}  // namespace pointsman::testing
