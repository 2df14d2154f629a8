#include "backends/openai/sse.h"

#include <cstring>

namespace pointsman::openai {
namespace {

constexpr std::string_view kBom = "\xef\xbb\xbf";

// Where the first CR or LF is; npos when there is none.
std::size_t FindEol(std::string_view text) {
  if (text.empty()) return std::string_view::npos;
  const void* lf = std::memchr(text.data(), '\n', text.size());
  std::size_t at = lf ? static_cast<std::size_t>(static_cast<const char*>(lf) - text.data()) : text.size();
  if (const void* cr = std::memchr(text.data(), '\r', at)) {
    return static_cast<std::size_t>(static_cast<const char*>(cr) - text.data());
  }
  return lf ? at : std::string_view::npos;
}

}  // namespace

SseParser::Step SseParser::Next(std::string_view& input) {
  if (emitted_) {
    emitted_ = has_data_ = false;
    held_.clear();
  }
  while (bom_ >= 0 && !input.empty()) {
    if (input.front() == kBom[static_cast<std::size_t>(bom_)]) {
      input.remove_prefix(1);
      if (++bom_ == 3) bom_ = -1;
    } else {
      line_.assign(kBom.substr(0, static_cast<std::size_t>(bom_)));  // it only began like one
      bom_ = -1;
    }
  }
  while (!input.empty()) {
    if (skip_lf_) {
      skip_lf_ = false;
      if (input.front() == '\n') {
        input.remove_prefix(1);
        continue;
      }
    }
    std::size_t eol = FindEol(input);
    if (eol == std::string_view::npos) {
      if (line_.size() + input.size() > max_) return Step::kTooLarge;
      line_.append(input);
      input = {};
      break;
    }
    std::string_view line = input.substr(0, eol);
    skip_lf_ = input[eol] == '\r';
    input.remove_prefix(eol + 1);
    bool blank = line.empty() && line_.empty();
    if (blank && has_data_) {
      emitted_ = true;
      return Step::kEvent;
    }
    if (blank) continue;
    bool good;
    if (line_.empty()) {
      good = Line(line, true);
    } else {
      if (line_.size() + line.size() > max_) return Step::kTooLarge;
      line_.append(line);
      good = Line(line_, false);
      line_.clear();
    }
    if (!good) return Step::kTooLarge;
  }
  if (has_data_ && data_.data() != held_.data()) {  // the input's memory goes away
    held_.assign(data_);
    data_ = held_;
  }
  return Step::kNeedMore;
}

// One line that is not blank. `borrowed`: it lies in the input, so that data may be looked at there.
bool SseParser::Line(std::string_view line, bool borrowed) {
  if (line.starts_with("data:")) {
    line.remove_prefix(5);
  } else if (line.starts_with("error:")) {
    line.remove_prefix(6);
  } else if (line == "data" || line == "error") {
    line = {};
  } else {
    return true;  // a comment, or a field that does not matter here
  }
  if (line.starts_with(' ')) line.remove_prefix(1);
  if (!has_data_) {
    if (line.size() > max_) return false;
    if (!borrowed) held_.assign(line);
    data_ = borrowed ? line : std::string_view(held_);
    has_data_ = true;
    return true;
  }
  if (data_.size() + 1 + line.size() > max_) return false;
  if (data_.data() != held_.data()) held_.assign(data_);
  held_.append(1, '\n').append(line);
  data_ = held_;
  return true;
}

}  // namespace pointsman::openai
