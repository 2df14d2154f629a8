#include "tests/support/read_file.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace pointsman::testing {

std::string ReadFile(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) throw std::runtime_error("cannot read " + file.string());
  return text.str();
}

std::filesystem::path SourceFile(const std::filesystem::path& file) {
  return std::filesystem::path(POINTSMAN_SOURCE_DIR) / file;
}

}  // namespace pointsman::testing
