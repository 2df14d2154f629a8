// base/mapped_file.h: a file's bytes where the kernel keeps them: mapped, read-only, never copied.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string_view>
#include <system_error>

namespace pointsman {

// Immutable; any thread. The pages are those of the kernel's file cache: every process that maps the file shares them.
//
// Replace such a file by renaming another over it: the mapping goes on showing the old one, whose blocks live as long
// as it is mapped. Never write to it in place: that would change what is mapped, and a byte that was cut off ends the
// process that reads it (SIGBUS).
class MappedFile {
 public:
  // Maps the file whole and reads it into memory. Null with `code` set when it cannot be opened or mapped, or is not a
  // regular file. An empty file has no bytes and is no error. Blocking.
  static std::shared_ptr<const MappedFile> Open(const std::filesystem::path& file, std::error_code& code);

  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::string_view bytes() const { return bytes_; }  // valid as long as this object

 private:
  explicit MappedFile(std::string_view bytes) : bytes_(bytes) {}

  std::string_view bytes_;
};

}  // namespace pointsman
