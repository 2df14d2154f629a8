// router/offline/lines.h: the lines of a file, plain or gzip, in bounded memory.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pointsman::offline {

constexpr std::size_t kMaxLineBytes = 16U << 20;

// Reads on from line to line. One thread.
class Lines {
 public:
  explicit Lines(const std::filesystem::path& file);

  bool open() const { return file_ != nullptr; }    // false: errno says why
  double bytes() const;                             // of the file, that were read so far (compressed ones, with gzip)
  std::uint64_t number() const { return number_; }  // of the line that Next() gave or failed at, from 1

  // The next line without its "\n"; nullopt at the end, and where the file cannot be decoded or a line is longer than
  // kMaxLineBytes: then `error` says so. Only when open().
  std::optional<std::string> Next(std::string& error);

 private:
  std::unique_ptr<gzFile_s, int (*)(gzFile)> file_;
  std::vector<char> part_;
  std::size_t begin_ = 0, end_ = 0;  // what is left of part_
  std::uint64_t number_ = 0;
};

}  // namespace pointsman::offline
