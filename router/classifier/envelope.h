// router/classifier/envelope.h: a file that can tell that it is whole: 8 bytes of magic, the SHA-256 of the rest, the
// rest, which is a protobuf message.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/mapped_file.h"
#include "base/result.h"

namespace pointsman::classifier {

struct Envelope {
  std::string_view magic;    // 8 bytes; the last one is the format's version
  std::string_view what;     // "predictor artifact", for errors
  std::string_view command;  // that makes one
};

struct EnvelopeFile {
  std::string message;
  std::string checksum;  // SHA-256 of the message, 64 hex digits
};

// Every error names the file and the reason: missing, of another kind or version, cut, damaged. At most 512 MiB.
// Blocking.
Result<EnvelopeFile> ReadEnvelope(const Envelope& envelope, const std::filesystem::path& file);

struct MappedEnvelope {
  std::shared_ptr<const MappedFile> file;  // keeps the message alive
  std::string_view message;
  std::string checksum;  // SHA-256 of the message, 64 hex digits
};

// Likewise, without a copy of the file: it must be replaced by renaming another over it, as WriteEnvelope does, and
// never be written to in place (base/mapped_file.h).
Result<MappedEnvelope> MapEnvelope(const Envelope& envelope, const std::filesystem::path& file);

// As ReadEnvelope, of the bytes that a file has; `file` is its name, for errors.
Result<EnvelopeFile> OpenEnvelope(const Envelope& envelope, std::string bytes, const std::filesystem::path& file);

// Writes beside `file` and renames over it: a reader sees the old file or the new one. Blocking. Returns the checksum.
Result<std::string> WriteEnvelope(const Envelope& envelope, const std::filesystem::path& file,
                                  std::string_view message);

// SHA-256, 64 hex digits.
std::string Checksum(std::string_view data);

// The error of a file whose message is no good.
Error BadFile(const Envelope& envelope, const std::filesystem::path& file, const std::string& what);

}  // namespace pointsman::classifier
