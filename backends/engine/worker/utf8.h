// backends/engine/worker/utf8.h: tokens are bytes, answers are characters. A token may end inside a character.
#pragma once

#include <string>
#include <string_view>

namespace pointsman::engine {

// Turns a stream of bytes into a stream of whole UTF-8 characters. Bytes that can never become a character are replaced
// by U+FFFD. Single thread.
class Utf8Assembler {
 public:
  // Returns what is complete; keeps at most 3 bytes of an unfinished character.
  std::string Feed(std::string_view bytes);

  // The end: what is unfinished becomes one U+FFFD.
  std::string Finish();

  // Bytes kept.
  std::size_t held() const { return held_.size(); }

 private:
  std::string held_;
};

// `bytes` with everything that is not UTF-8 replaced by U+FFFD.
std::string ValidUtf8(std::string_view bytes);

}  // namespace pointsman::engine
