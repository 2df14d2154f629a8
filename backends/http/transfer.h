// backends/http/transfer.h: POST requests whose answers are awaited piece by piece, or whole.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backends/http/call.h"
#include "backends/http/multi.h"
#include "base/async.h"
#include "base/result.h"

namespace pointsman::http {

// Where requests go, and how long they may take.
struct EndpointOptions {
  std::string url;                                       // http or https
  std::vector<std::string> headers;                      // "Name: value"
  std::chrono::milliseconds connect_timeout{5'000};      // name look-up, TCP and TLS together
  std::chrono::milliseconds first_byte_timeout{60'000};  // from the connection to the first byte of the answer's body
  std::chrono::milliseconds idle_timeout{30'000};  // between two pieces of the body, while somebody waits for them
  std::size_t max_answer_bytes = std::size_t{64} << 20;
  std::string ca_file;  // PEM; "" = the system's
};

// A URL with everything that its requests have in common, and handles that are used again. TLS certificates are always
// checked; HTTP/2 is spoken where TLS negotiates it; redirects are not followed. Proxies come from the environment as
// curl reads it (https_proxy, no_proxy, ...), but never for a loopback address. Loop thread only; destroyed before the
// multi.
class Endpoint {
 public:
  Endpoint(Multi& multi, EndpointOptions options);
  ~Endpoint();
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  const EndpointOptions& options() const { return options_; }
  Multi& multi() { return multi_; }

 private:
  friend class Call;
  friend class Transfer;

  static constexpr std::size_t kMaxIdle = 64;  // handles, about 6 KB each

  std::unique_ptr<Call> Lend();
  void Return(std::unique_ptr<Call> call);
  void Configure(Call& call);

  Multi& multi_;
  EndpointOptions options_;
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers_;
  bool loopback_;
  std::vector<std::unique_ptr<Call>> idle_;
};

// Whether the URL names this machine: localhost, 127.0.0.0/8, ::1.
bool IsLoopback(std::string_view url);

enum class Reading {
  kPieces,  // Wait() returns as soon as there is something; an unread answer holds the sender back
  kWhole,   // Wait() returns at the end
};

// One POST request; it is under way from construction on. Destroying it before its end closes the connection at once.
// Loop thread only.
class Transfer {
 public:
  Transfer(Endpoint& endpoint, std::string body, Reading reading, Deadline deadline);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // Whether there is something to Take(), or the end was reached.
  bool ready() const { return call_->ready(); }
  // Returns once ready(); one at a time. Terminal cancellation of the awaiting coroutine throws
  // boost::system::system_error(operation_aborted) out of it.
  Awaitable<void> Wait();
  // Replaces `out` by what has arrived since the last call.
  void Take(std::string& out) { call_->Take(out); }

  // The request has ended, well or not. What came before may still be there to Take().
  bool ended() const { return call_->end != End::kRunning; }
  // Once ended(): nothing when the HTTP answer is complete, whatever its status; else what went wrong, classified.
  Result<void> outcome() const;

  // The HTTP status (0 = none yet) and content type, from the first byte of the body or a good end on.
  int status() const;
  std::string_view content_type() const;
  // What Retry-After said, as seconds or as a date; 0 = nothing. After a good end only.
  std::chrono::seconds retry_after() const;

  // The answer was understood; what is left of the body is of no interest, but the connection is. Destroys nothing: the
  // destructor then leaves the rest to be read in the background for a moment instead of closing.
  void LetDrain() { drain_ = true; }

 private:
  std::unique_ptr<Call> call_;
  bool drain_ = false;
};

}  // namespace pointsman::http
