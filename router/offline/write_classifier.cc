#include "router/offline/write_classifier.h"

#include "router/classifier/artifact.h"

namespace pointsman::offline {

Result<WrittenFile> WriteClassifier(const std::filesystem::path& out, const v1::Artifact& artifact) {
  if (const std::string flaw = classifier::Flaw(artifact); !flaw.empty()) {
    return Internal("the model that was made cannot be served: " + flaw);
  }
  auto checksum = classifier::WriteArtifact(out, artifact);
  if (!checksum) return std::move(checksum).error();
  return WrittenFile{std::filesystem::file_size(out), *std::move(checksum)};
}

}  // namespace pointsman::offline
