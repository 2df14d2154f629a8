#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace pointsman {
namespace {

std::error_code LastError() { return {errno, std::generic_category()}; }

}  // namespace

std::shared_ptr<const MappedFile> MappedFile::Open(const std::filesystem::path& file, std::error_code& code) {
  code.clear();
  const int descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe must not wait for a writer
  if (descriptor < 0) {
    code = LastError();
    return nullptr;
  }
  struct stat status {};
  void* start = nullptr;
  std::size_t size = 0;
  if (fstat(descriptor, &status) != 0) {
    code = LastError();
  } else if (!S_ISREG(status.st_mode)) {
    code = std::make_error_code(S_ISDIR(status.st_mode) ? std::errc::is_a_directory : std::errc::not_supported);
  } else if (status.st_size > 0) {
    size = static_cast<std::size_t>(status.st_size);
    start = mmap(nullptr, size, PROT_READ, MAP_SHARED | MAP_POPULATE, descriptor, 0);
    if (start == MAP_FAILED) code = LastError();
  }
  close(descriptor);  // the mapping does not need it
  if (code) return nullptr;
  return std::shared_ptr<const MappedFile>(new MappedFile({static_cast<const char*>(start), size}));
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

}  // namespace pointsman
