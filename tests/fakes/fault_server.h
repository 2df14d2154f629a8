// tests/fakes/fault_server.h: an OpenAI-compatible HTTP/1.1 server in this process that does on demand what real ones
// do only on bad days.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace pointsman::testing {

// Listens on a free port of 127.0.0.1 and serves on a thread of its own from construction to destruction. Every method
// may be called from any thread.
//
// What it does with a request is said by the first part of the path, with options after semicolons. Use url() as the
// base URL of an expert: `server.url("/stall;chunks=3")`, to which the backend adds `/chat/completions`. A request
// whose body has `"stream":true` gets server-sent events, any other one JSON text.
//
//   /normal              a good answer; GET is answered too, with {}
//                          chunks=5        text chunks; chunk i is "w<i> ", so the answer is "w0 w1 ..."
//                          interval_us=0   pause before each chunk but the first
//                          bytes=0         pads the text of each chunk with '.' to this length
//                          dribble=0       write() calls of this many bytes; 0 = one call a chunk
//                          finish=stop     the finish_reason
//                          eol=lf          line ends of the events: lf, crlf or cr
//   /logprobs            a good answer of two tokens, with log-probabilities
//   /tools               a good answer with two tool calls whose arguments come in pieces
//   /slow_first_byte     reads the request, then nothing for ms=N (default: for ever), then as /normal
//   /headers_only        the head of the answer, then nothing
//   /stall               chunks=2 chunks, then nothing
//   /reset               chunks=2 chunks, then a TCP reset; chunks=0: instead of the answer
//   /cut                 chunks=2 chunks, then the connection closes inside the HTTP body
//   /truncate            chunks=2 chunks, then a well-formed end of the HTTP body, but no finish_reason and no [DONE]
//   /no_done             finish_reason, but no [DONE]
//   /no_finish           [DONE], but no finish_reason
//   /half_frame          chunks=2 chunks, then the HTTP body ends in the middle of an event
//   /half_json           chunks=2 chunks, then an event whose JSON text ends too early; not streamed: half an answer
//   /garbage             200 and bytes that are neither events nor JSON
//   /huge_event          one event with bytes=4194304 bytes of text
//   /flood               text chunks of bytes=4096 bytes, as fast as they are read, until the client goes away
//   /lingering           a good stream, but the HTTP body does not end after [DONE]
//   /wrong_type          200 with an HTML page
//   /stream_error        chunks=2 chunks, then an event with an error object
//   /redirect            302 to /normal
//   /status              code=500 with an error object; options: shape=openai|string|fastapi|message|plain|html|empty,
//                        retry_after=SECONDS, retry_date=SECONDS (the same as an HTTP date)
//   /context_length      400 with code context_length_exceeded
//   /echo_key            401 with the request's key in the text
//   /close_idle          a good answer, then the connection closes although keep-alive was promised
//   /close_on_reuse      a good answer to a connection's first request; the next one is read, then the connection
//   closes
class FaultServer {
 public:
  FaultServer();
  ~FaultServer();  // closes every connection
  FaultServer(const FaultServer&) = delete;
  FaultServer& operator=(const FaultServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string url(std::string_view behaviour = "/normal") const;

  struct Counts {
    std::uint64_t connections = 0;  // accepted so far
    std::uint64_t open = 0;         // open now
    std::uint64_t requests = 0;     // read whole so far
    std::uint64_t answered = 0;     // answers that were written to their end, bad as they may be
    std::uint64_t aborted = 0;  // answers that the client did not wait for: it closed the connection before their end
    std::uint64_t bytes = 0;    // written so far
  };
  Counts counts() const;

  // Waits until `condition` holds; false when it does not within `limit`.
  bool WaitFor(const std::function<bool(const Counts&)>& condition,
               std::chrono::seconds limit = std::chrono::seconds(60)) const;

  // The last request that was read whole: its head (request line and header fields) and its body.
  std::string last_head() const;
  std::string last_body() const;

 private:
  class Server;
  friend class Server;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  Counts counts_;
  std::string last_head_, last_body_;
  std::uint16_t port_ = 0;
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

}  // namespace pointsman::testing
