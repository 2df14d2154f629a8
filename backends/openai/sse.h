// backends/openai/sse.h: server-sent events out of a byte stream (WHATWG HTML, section 9.2.6), cut anywhere.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pointsman::openai {

// One stream's parser. Understands LF, CRLF and CR, comments, several data lines an event, and a byte order mark at the
// start. Of the fields it keeps `data`, and `error` as another name of it: llama.cpp's server used to send errors so.
// Not thread-safe.
class SseParser {
 public:
  // An event's data may have up to `max_event_bytes` bytes, and so may any line.
  explicit SseParser(std::size_t max_event_bytes) : max_(max_event_bytes) {}

  enum class Step {
    kEvent,     // data() is an event's; call again with the rest
    kNeedMore,  // `input` is used up
    kTooLarge,  // the stream cannot be read on
  };
  // Takes bytes off the front of `input`, up to the end of the next event that has data.
  Step Next(std::string_view& input);

  // The data of the event that Next() found, its lines joined by LF. Valid until the next call, and no longer than
  // the memory of that call's input.
  std::string_view data() const { return data_; }

  // An event has begun that its blank line has not ended: at the end of the stream, half a frame.
  bool inside_event() const { return (has_data_ && !emitted_) || !line_.empty(); }

 private:
  bool Line(std::string_view line, bool borrowed);

  std::size_t max_;
  std::string line_;       // the beginning of a line whose end has not come yet
  std::string held_;       // data that cannot be looked at in the input
  std::string_view data_;  // in held_ or in the input
  bool has_data_ = false;
  bool emitted_ = false;  // data_ was handed out and is to be forgotten
  bool skip_lf_ = false;  // the last byte was a CR that ended a line
  int bom_ = 0;           // bytes of a byte order mark seen at the very start; -1 = past the start
};

}  // namespace pointsman::openai
