// tests/support/scratch_dir.h: a new empty folder that goes away with its owner.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace pointsman::testing {

class ScratchDir {
 public:
  ScratchDir();
  ~ScratchDir();
  ScratchDir(const ScratchDir&) = delete;
  ScratchDir& operator=(const ScratchDir&) = delete;

  std::filesystem::path path(std::string_view name) const { return path_ / name; }
  // Writes a file into the folder and returns its path.
  std::filesystem::path Write(std::string_view name, std::string_view bytes) const;

 private:
  std::filesystem::path path_;
};

std::string ReadFile(const std::filesystem::path& file);

}  // namespace pointsman::testing
