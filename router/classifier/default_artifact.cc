#include "router/classifier/default_artifact.h"

#include <system_error>

namespace pointsman::classifier {

std::filesystem::path DefaultArtifact() {
  std::error_code error;
  std::filesystem::path folder = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  const std::filesystem::path places[] = {folder / "models/classifier.pmc",
                                          folder.parent_path() / "models/classifier.pmc",
                                          folder.parent_path() / "share/pointsman/classifier.pmc"};
  for (const std::filesystem::path& place : places) {
    if (std::filesystem::exists(place, error)) return place;
  }
  return places[0];
}

std::filesystem::path DefaultPool() { return DefaultArtifact().parent_path() / "everyday.jsonl"; }

}  // namespace pointsman::classifier
