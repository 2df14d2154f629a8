// router/classifier/artifact.h: the classifier's file (artifact.proto): magic, SHA-256, one serialised message.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"
#include "pointsman/v1/artifact.pb.h"

namespace pointsman::classifier {

inline constexpr std::uint32_t kArtifactVersion = 1;
inline constexpr std::size_t kMaxCategories = 256;

struct ArtifactFile {
  v1::Artifact artifact;
  std::string checksum;  // SHA-256 of the message, 64 hex digits
};

// Reads a file and checks it whole: what this returns can be served. Blocking. Every error names the file.
Result<ArtifactFile> ReadArtifact(const std::filesystem::path& file);

// The same for the bytes of a file; `file` is only named in errors.
Result<ArtifactFile> ParseArtifact(std::string_view bytes, const std::filesystem::path& file);

// The same without a look at the model, which may be missing: envelope, checksum and version alone are checked.
Result<ArtifactFile> ReadParts(const std::filesystem::path& file);

// Writes beside `file` and renames over it: a reader sees the old file or the new one. Blocking. Returns the checksum.
Result<std::string> WriteArtifact(const std::filesystem::path& file, const v1::Artifact& artifact);

// What is wrong with the numbers of a model, or "" when it can be served.
std::string Flaw(const v1::LinearClassifier& model);
std::string Flaw(const v1::Artifact& artifact);  // of all its parts

}  // namespace pointsman::classifier
