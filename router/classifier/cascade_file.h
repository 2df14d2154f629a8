// router/classifier/cascade_file.h: a cascade's gate on disk (proto/pointsman/v1/cascade.proto).
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "pointsman/v1/cascade.pb.h"
#include "policies/gate/cascade_gate.h"

namespace pointsman::classifier {

inline constexpr std::uint32_t kCascadeVersion = 1;

struct CascadeFile {
  gate::CascadeGate gate;  // without a Flaw()
  std::string checksum;    // SHA-256, 64 hex digits
};

// Reads a gate and checks it whole. Blocking. Every error names the file, the reason and the mend: missing, another
// kind of file or version, cut or damaged, an unknown kind, source or signal, a Flaw() of the gate.
Result<CascadeFile> LoadCascade(const std::filesystem::path& file);

// Reads a stored gate into `gate`. Returns what is wrong with it, or "". Any thread.
std::string FromProto(const v1::CascadeGate& stored, gate::CascadeGate& gate);

// The gate as it is stored. Any thread.
v1::CascadeGate ToProto(const gate::CascadeGate& gate);

// Writes beside `file` and renames over it. Blocking. Returns the checksum.
Result<std::string> WriteCascade(const std::filesystem::path& file, const v1::CascadeArtifact& artifact);

}  // namespace pointsman::classifier
