// tests/support/temp_dir.h: a folder for one test, removed with all that is in it.
#pragma once

#include <filesystem>
#include <string_view>

namespace pointsman::testing {

class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::filesystem::path& path() const { return path_; }
  // Writes a file (folders on the way are made) and returns its path.
  std::filesystem::path Write(std::string_view name, std::string_view content) const;

 private:
  std::filesystem::path path_;
};

}  // namespace pointsman::testing
