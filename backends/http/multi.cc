#include "backends/http/multi.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "backends/http/transfer.h"

namespace pointsman::http {
namespace {

constexpr int kNudges = 8;                                // rounds a turn
constexpr int kBatch = 64;                                // sockets handled a wake-up
constexpr std::chrono::milliseconds kLimitResolution{1};  // limits are looked at no more often

CURLM* NewMulti() {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  CURLM* multi = initialised == CURLE_OK ? curl_multi_init() : nullptr;
  if (!multi) throw std::runtime_error("libcurl could not be initialised");
  return multi;
}

int NewEpoll() {
  int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  return epoll;
}

}  // namespace

Multi::Multi(Loop& loop, long connections)
    : loop_(loop), multi_(NewMulti()), epoll_(loop, NewEpoll()), timer_(loop), alive_(this, [](Multi*) {}) {
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &Multi::OnSocket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &Multi::OnTimer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, connections);
  // One request at a time on an HTTP/2 connection: libcurl stops reading the whole connection when one of its streams
  // is held back, so that one slow client would hold back the others (seen with 7.88).
  curl_multi_setopt(multi_, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
  WaitForSockets();
}

Multi::~Multi() {
  alive_.reset();
  while (!lent_.empty()) {
    Call& call = lent_.front();
    lent_.pop_front();
    if (call.running()) {
      Cut(call);
      call.end = End::kCutOff;
    }
    call.multi = nullptr;
    if (call.draining()) {
      delete &call;
    } else {
      call.Release();  // destroys the waiting coroutine, or has the loop do it
    }
  }
  curl_multi_cleanup(multi_);
}

CURLMcode Multi::Add(Call& call) {
  CURLMcode code = curl_multi_add_handle(multi_, call.easy());
  if (code == CURLM_OK) ++active_;
  return code;
}

void Multi::Remove(Call& call) {
  curl_multi_remove_handle(multi_, call.easy());
  --active_;
}

// Left to itself, libcurl keeps an HTTP/2 connection whose stream is given up, and the server is not told (7.88).
void Multi::Cut(Call& call) {
  curl_easy_setopt(call.easy(), CURLOPT_FORBID_REUSE, 1L);
  Remove(call);
  curl_easy_setopt(call.easy(), CURLOPT_FORBID_REUSE, 0L);
}

// curl's own socket() has no close-on-exec flag, and worker processes must not inherit connections.
curl_socket_t Multi::OnOpen(void* self, curlsocktype, curl_sockaddr* address) {
  int socket = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (socket < 0) return CURL_SOCKET_BAD;
  Socket fresh;
  fresh.ours = true;
  static_cast<Multi*>(self)->At(socket) = fresh;
  return socket;
}

int Multi::OnClose(void* self, curl_socket_t socket) {
  static_cast<Multi*>(self)->At(socket) = Socket{};  // closing takes it out of the epoll set
  return ::close(socket);
}

int Multi::OnSocket(CURL* easy, curl_socket_t socket, int what, void* self, void*) {
  Multi& multi = *static_cast<Multi*>(self);
  if (what != CURL_POLL_REMOVE) {
    char* call = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &call);
    reinterpret_cast<Call*>(call)->socket = socket;
  }
  Socket& state = multi.At(socket);
  state.want = what == CURL_POLL_REMOVE ? 0 : static_cast<std::uint8_t>(what);
  // A connection that becomes idle stays watched for input: the next request will want that again, and if the peer
  // closes it meanwhile, OnSockets() drops it. Sockets of curl's resolver go away unannounced, so they leave at once.
  if (state.want == 0 && state.ours && state.watched == CURL_POLL_IN) return 0;
  if (state.want != state.watched) multi.Watch(socket, state, state.want);
  return 0;
}

int Multi::OnTimer(CURLM*, long milliseconds, void* self) {
  Multi& multi = *static_cast<Multi*>(self);
  if (milliseconds < 0) {
    multi.curl_due_ = Clock::time_point::max();
  } else {
    multi.curl_due_ = Clock::now() + std::chrono::milliseconds(milliseconds);
    if (milliseconds == 0) {
      multi.Kick();
    } else {
      multi.Arm(multi.curl_due_);
    }
  }
  return 0;
}

Multi::Socket& Multi::At(curl_socket_t socket) {
  auto index = static_cast<std::size_t>(socket);
  if (index >= sockets_.size()) sockets_.resize(index + 16);
  return sockets_[index];
}

void Multi::Watch(curl_socket_t socket, Socket& state, std::uint8_t events) {
  epoll_event event{};
  event.data.fd = socket;
  if (events & CURL_POLL_IN) event.events |= EPOLLIN;
  if (events & CURL_POLL_OUT) event.events |= EPOLLOUT;
  int epoll = epoll_.native_handle();
  if (events == 0) {
    ::epoll_ctl(epoll, EPOLL_CTL_DEL, socket, &event);  // may be closed already
  } else if (::epoll_ctl(epoll, state.watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket, &event) != 0) {
    if (errno == EEXIST) ::epoll_ctl(epoll, EPOLL_CTL_MOD, socket, &event);
    if (errno == ENOENT) ::epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event);
  }
  state.watched = events;
}

void Multi::WaitForSockets() {
  auto ready = [weak = std::weak_ptr<Multi>(alive_)](boost::system::error_code ec) {
    std::shared_ptr<Multi> self = ec ? nullptr : weak.lock();
    if (self) self->OnSockets();
  };
  epoll_.async_wait(asio::posix::descriptor_base::wait_read, std::move(ready));
}

void Multi::OnSockets() {
  epoll_event events[kBatch];
  int n = ::epoll_wait(epoll_.native_handle(), events, kBatch, 0);
  for (int i = 0; i < n; ++i) {
    curl_socket_t socket = events[i].data.fd;
    Socket& state = At(socket);
    if (state.want == 0) {  // an idle or a held connection: nobody is to be woken for it
      if (state.watched) Watch(socket, state, 0);
      continue;
    }
    int bits = 0, running = 0;
    if (events[i].events & (EPOLLIN | EPOLLHUP)) bits |= CURL_CSELECT_IN;
    if (events[i].events & EPOLLOUT) bits |= CURL_CSELECT_OUT;
    if (events[i].events & EPOLLERR) bits |= CURL_CSELECT_ERR;
    if (state.http2) nudges_.push_back(socket);
    curl_multi_socket_action(multi_, socket, bits, &running);
  }
  Nudge();
  Settle();
  WaitForSockets();
}

void Multi::GotHttp2(curl_socket_t socket) {
  At(socket).http2 = true;
  nudges_.push_back(socket);
}

// libcurl 7.88 may have taken the end of an HTTP/2 answer in, together with its last bytes, without acting on it, and
// then waits for a socket that has nothing more to say. So HTTP/2 sockets are served again until nothing comes.
void Multi::Nudge() {
  std::vector<curl_socket_t> now;
  for (int round = 0; round < kNudges && !nudges_.empty(); ++round) {
    now.swap(nudges_);
    nudges_.clear();
    int running = 0;
    for (curl_socket_t socket : now) curl_multi_socket_action(multi_, socket, CURL_CSELECT_IN, &running);
  }
  if (!nudges_.empty()) Kick();
}

// curl wants to be called soon, but from the loop, never from inside its own callback.
void Multi::Kick() {
  if (kicked_) return;
  kicked_ = true;
  auto kick = [weak = std::weak_ptr<Multi>(alive_)] {
    std::shared_ptr<Multi> self = weak.lock();
    if (!self) return;
    self->kicked_ = false;
    int running = 0;
    self->curl_due_ = Clock::time_point::max();
    curl_multi_socket_action(self->multi_, CURL_SOCKET_TIMEOUT, 0, &running);
    self->Nudge();
    self->Settle();
  };
  asio::post(loop_, std::move(kick));
}

void Multi::ReadySoon(Call& call) {
  ready_.push_back(call);
  Kick();
}

void Multi::Limit(Clock::time_point when) {
  if (when >= limits_due_) return;
  limits_due_ = when;
  Arm(when);
}

// One timer serves everything. It is moved only to an earlier time: going off for nothing is cheaper than being set
// with every request.
void Multi::Arm(Clock::time_point when) {
  if (armed_for_ <= when) return;
  armed_for_ = when;
  auto fired = [weak = std::weak_ptr<Multi>(alive_)](boost::system::error_code ec) {
    std::shared_ptr<Multi> self = ec ? nullptr : weak.lock();
    if (self) self->OnTime();
  };
  timer_.expires_at(when);
  timer_.async_wait(std::move(fired));
}

void Multi::OnTime() {
  Clock::time_point now = Clock::now();
  if (armed_for_ > now) return;  // it was set anew while this call was on its way
  armed_for_ = Clock::time_point::max();
  if (curl_due_ <= now) {
    int running = 0;
    curl_due_ = Clock::time_point::max();
    curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
    Nudge();
  }
  Settle();  // before the limits: what has just arrived is in time
  if (limits_due_ <= now) Expire(now);
  Clock::time_point next = std::min(curl_due_, limits_due_);
  if (next != Clock::time_point::max()) Arm(next);
  Settle();
}

void Multi::Expire(Clock::time_point now) {
  Clock::time_point next = Clock::time_point::max();
  for (auto it = lent_.begin(); it != lent_.end();) {
    Call& call = *it++;
    if (!call.running()) continue;
    if (call.Limit() <= now && call.OnLimit(now)) continue;
    next = std::min(next, std::max(call.Limit(), now + kLimitResolution));
  }
  limits_due_ = next;
}

void Multi::Settle() {
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURLcode outcome = message->data.result;  // removing the handle frees the message
    char* pointer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &pointer);
    reinterpret_cast<Call*>(pointer)->OnEnd(outcome);
  }
  while (!ready_.empty()) {
    Call& call = ready_.front();
    ready_.pop_front();
    call.Resume();
  }
}

}  // namespace pointsman::http
