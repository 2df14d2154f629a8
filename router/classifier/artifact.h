// router/classifier/artifact.h: the classifier's file (artifact.proto): magic, SHA-256, one serialised message.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"
#include "pointsman/v1/artifact.pb.h"
#include "router/classifier/artifact_tables.h"

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

// An artifact whose large tables stay in the mapped file.
struct MappedArtifact {
  v1::Artifact artifact;  // its tables (artifact_tables.h) are empty
  ArtifactTables tables;  // each keeps the mapping alive
  Table embedding;        // the embedding's message as it is in the file; no bytes when there is none
  std::string checksum;   // SHA-256 of the message, 64 hex digits
};

// As ReadArtifact and ReadParts, with the same errors, without copies of the tables: what serves requests loads this
// way, and processes on one host share the pages. The file must be replaced by renaming another over it, as
// WriteArtifact does; one that is written to in place while it is mapped changes the model or ends the process
// (base/mapped_file.h).
Result<MappedArtifact> MapArtifact(const std::filesystem::path& file);
Result<MappedArtifact> MapParts(const std::filesystem::path& file);

// Writes beside `file` and renames over it: a reader sees the old file or the new one. Blocking. Returns the checksum.
Result<std::string> WriteArtifact(const std::filesystem::path& file, const v1::Artifact& artifact);

// What is wrong with the numbers of a model, or "" when it can be served.
std::string Flaw(const v1::LinearClassifier& model);
std::string Flaw(const v1::Artifact& artifact);  // of all its parts
std::string Flaw(const MappedArtifact& artifact);

}  // namespace pointsman::classifier
