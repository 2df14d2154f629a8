// backends/http/call.h: one curl easy handle and the state of the request that it carries. The inside of
// backends/http/transfer.h; made once, used for many requests of one endpoint.
#pragma once

#include <curl/curl.h>

#include <boost/intrusive/list.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <optional>
#include <string>

#include "base/async.h"

namespace pointsman::http {

class Endpoint;
class Multi;

// Whoever awaits a call: the rest of a coroutine.
using Waiter = asio::async_result<asio::use_awaitable_t<Executor>, void(boost::system::error_code)>::handler_type;

struct LentTag;
struct ReadyTag;
using LentHook = boost::intrusive::list_base_hook<boost::intrusive::tag<LentTag>,
                                                  boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
using ReadyHook = boost::intrusive::list_base_hook<boost::intrusive::tag<ReadyTag>,
                                                   boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

// How a request ended, or that it has not.
enum class End {
  kRunning,
  kCurl,       // curl said so: `code` has the outcome, CURLE_OK included
  kFirstByte,  // no byte of the answer's body came in time
  kIdle,       // too long between two pieces of the body
  kDeadline,
  kTooLarge,
  kCutOff,  // the multi was destroyed
};

// Loop thread only.
class Call : public LentHook, public ReadyHook {
 public:
  Call(Multi& multi, Endpoint& endpoint);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // Sends `body`. With `whole`, the waiter is woken only at the end, and the answer's size is bounded by the endpoint's
  // limit alone; otherwise the sender is held back while more than kHoldAbove bytes lie unread.
  void Start(std::string body, bool whole, Deadline deadline);
  // Ends a request under way: its connection closes.
  void Abort();
  // Nobody reads any more; what still comes is thrown away, up to a limit of time and bytes, so that the connection can
  // be used again. The call then goes back to the endpoint by itself.
  void Drain();

  bool ready() const { return end != End::kRunning || (!whole_ && !buffer_.empty()); }
  void Await(Waiter waiter);        // one at a time
  void Take(std::string& out);      // what has arrived since; lets a held sender go on
  void Resume();                    // the waiter, if there is one
  std::optional<Waiter> Release();  // likewise, but without resuming it

  // The nearest moment at which this call must end if nothing happens.
  Clock::time_point Limit() const;
  // It is past Limit(): ends the request and returns true, unless the limit turns out to be later. A drained call is
  // gone afterwards, also after OnEnd().
  bool OnLimit(Clock::time_point now);
  void OnEnd(CURLcode outcome);

  CURL* easy() const { return easy_; }
  bool draining() const { return draining_; }
  bool running() const { return end == End::kRunning; }

  static constexpr std::size_t kHoldAbove = 32 * 1024;  // bytes
  static constexpr std::size_t kDrainBytes = 64 * 1024;
  static constexpr std::chrono::milliseconds kDrainTime{1000};

  End end = End::kCurl;
  CURLcode code = CURLE_OK;
  std::size_t received = 0;                // bytes of the body
  char text[CURL_ERROR_SIZE] = {};         // curl's words on a failure
  curl_socket_t socket = CURL_SOCKET_BAD;  // the one that curl asked to be watched last
  Multi* multi;                            // nullptr once it is gone
  Endpoint* endpoint;                      // likewise

 private:
  static std::size_t OnBody(char* data, std::size_t one, std::size_t size, void* self);
  std::size_t Receive(const char* data, std::size_t size);
  void CancelWait();
  void Continue();
  void Announce();  // the end: to the waiter, or to the endpoint

  CURL* easy_;
  std::string body_;    // what is sent
  std::string buffer_;  // what has arrived and was not taken
  std::optional<Waiter> waiter_;
  Clock::time_point started_, progress_;
  Deadline deadline_ = Deadline::max();
  bool whole_ = false, held_ = false, draining_ = false, too_large_ = false, first_byte_extended_ = false,
       http2_ = false;
};

using LentCalls =
    boost::intrusive::list<Call, boost::intrusive::base_hook<LentHook>, boost::intrusive::constant_time_size<false>>;
using ReadyCalls =
    boost::intrusive::list<Call, boost::intrusive::base_hook<ReadyHook>, boost::intrusive::constant_time_size<false>>;

}  // namespace pointsman::http
