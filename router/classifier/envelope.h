// router/classifier/envelope.h: what every artifact file is: 8 bytes of magic, the SHA-256 of the rest, one serialised
// message (artifact.proto).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pointsman::classifier {

// How one sort of artifact is told from others, and spoken of in errors.
struct Envelope {
  std::string_view magic;  // 8 bytes; the last is the version of the format
  std::string_view what;   // "encoder head"
  std::string_view maker;  // "pointsman train encoder"
};

struct Enclosed {
  std::string message;   // serialised
  std::string checksum;  // its SHA-256, 64 hex digits
};

// kFailedPrecondition: "`what` FILE: `flaw`".
Error BadArtifact(const Envelope& envelope, const std::filesystem::path& file, const std::string& flaw);

// Blocking. Errors name the file: missing, another sort of file, another version, truncated or damaged.
Result<Enclosed> ReadEnvelope(const Envelope& envelope, const std::filesystem::path& file);

// Writes beside `file` and renames over it: a reader sees the old file or the new one. Blocking. Returns the checksum.
Result<std::string> WriteEnvelope(const Envelope& envelope, const std::filesystem::path& file,
                                  std::string_view message);

}  // namespace pointsman::classifier
