// backends/http/multi.h: libcurl's multi interface on an event loop; one per shard. It carries the transfers of
// backends/http/transfer.h.
#pragma once

#include <curl/curl.h>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "backends/http/call.h"
#include "base/async.h"

namespace pointsman::http {

// Loop thread only, from construction on. Must be destroyed before the loop; transfers that still live then are cut off
// and may be destroyed later. curl's sockets sit in an epoll set of their own, of which the loop watches only the one
// descriptor: a kept connection stays registered from one request to the next, and several sockets that are ready
// together cost one wake-up. A connection carries one request at a time, HTTP/2 or not.
class Multi {
 public:
  // Keeps up to `connections` open, busy ones included, before it closes idle ones.
  explicit Multi(Loop& loop, long connections = 1024);
  ~Multi();
  Multi(const Multi&) = delete;
  Multi& operator=(const Multi&) = delete;

  // Requests under way, those included whose last bytes are read only to keep the connection.
  std::size_t active() const { return active_; }

 private:
  friend class Call;
  friend class Endpoint;

  struct Socket {
    bool ours = false;         // opened by OnOpen, so OnClose will tell of its end
    std::uint8_t want = 0;     // CURL_POLL_IN | CURL_POLL_OUT
    std::uint8_t watched = 0;  // likewise: what the epoll set has
    bool http2 = false;
  };

  static curl_socket_t OnOpen(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int OnClose(void* self, curl_socket_t socket);
  static int OnSocket(CURL* easy, curl_socket_t socket, int what, void* self, void* per_socket);
  static int OnTimer(CURLM* multi, long milliseconds, void* self);

  // For Call; none of them may be called inside a curl callback, except Ready(), GotHttp2() and Limit().
  CURLMcode Add(Call& call);
  void Remove(Call& call);  // after its end
  void Cut(Call& call);     // before its end: the connection closes
  void Ready(Call& call) { ready_.push_back(call); }
  void GotHttp2(curl_socket_t socket);  // likewise: something of an HTTP/2 answer came out of `socket`
  void ReadySoon(Call& call);           // likewise, from outside of the loop's turns that end with Settle()
  void Limit(Clock::time_point when);   // a call has a limit at `when`: look then, or earlier

  Socket& At(curl_socket_t socket);
  void Watch(curl_socket_t socket, Socket& state, std::uint8_t events);
  void Arm(Clock::time_point when);
  void WaitForSockets();
  void OnSockets();
  void OnTime();
  void Kick();
  void Expire(Clock::time_point now);
  void Nudge();
  void Settle();  // after every action: hands out what ended, resumes who waits

  Loop& loop_;
  CURLM* multi_;
  asio::posix::basic_stream_descriptor<Executor> epoll_;
  asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor> timer_;
  std::shared_ptr<Multi> alive_;       // without ownership: handlers that outlive us see it gone
  std::vector<Socket> sockets_;        // by descriptor
  std::vector<curl_socket_t> nudges_;  // HTTP/2 sockets that something came out of in this turn
  LentCalls lent_;                     // every call that a transfer has, or that is being drained
  ReadyCalls ready_;
  std::size_t active_ = 0;
  bool kicked_ = false;
  Clock::time_point curl_due_ = Clock::time_point::max();    // curl's own timer
  Clock::time_point limits_due_ = Clock::time_point::max();  // no limit of a call is earlier
  Clock::time_point armed_for_ = Clock::time_point::max();   // when timer_ goes off
};

}  // namespace pointsman::http
