#include "router/offline/lines.h"

#include <algorithm>

namespace pointsman::offline {

// zlib reads plain files as they are.
Lines::Lines(const std::filesystem::path& file) : file_(gzopen(file.c_str(), "rb"), gzclose), part_(1U << 16) {
  if (file_) gzbuffer(file_.get(), 1U << 18);
}

double Lines::bytes() const { return static_cast<double>(gzoffset(file_.get())); }

std::optional<std::string> Lines::Next(std::string& error) {
  ++number_;
  std::string line;
  while (true) {
    if (begin_ == end_) {
      const int read = gzread(file_.get(), part_.data(), static_cast<unsigned>(part_.size()));
      begin_ = 0;
      end_ = static_cast<std::size_t>(std::max(read, 0));
    }
    if (begin_ == end_) break;
    const char* from = part_.data() + begin_;
    const char* to = part_.data() + end_;
    const char* newline = std::find(from, to, '\n');
    const auto length = static_cast<std::size_t>(newline - from);
    if (line.size() + length > kMaxLineBytes) {
      error = "the line is longer than 16 MiB";
      return std::nullopt;
    }
    line.append(from, length);
    begin_ += length;
    if (newline != to) {
      ++begin_;
      return line;
    }
  }
  int code = Z_OK;
  const char* message = gzerror(file_.get(), &code);
  if (code != Z_OK && code != Z_STREAM_END) {
    error = std::string("the compressed file is damaged or cut (") + message + ")";
    return std::nullopt;
  }
  if (line.empty()) return std::nullopt;
  return line;
}

}  // namespace pointsman::offline
