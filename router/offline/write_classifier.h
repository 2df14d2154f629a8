// router/offline/write_classifier.h: a classifier artifact that was made, checked and written.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"
#include "pointsman/v1/artifact.pb.h"

namespace pointsman::offline {

struct WrittenFile {
  std::uint64_t bytes = 0;
  std::string checksum;  // SHA-256 of the artifact's message, 64 hex digits
};

// Writes what can be served; anything else is an internal error, and nothing is written. Blocking.
Result<WrittenFile> WriteClassifier(const std::filesystem::path& out, const v1::Artifact& artifact);

}  // namespace pointsman::offline
