// router/classifier/gate_file.h: the file of one expert's gate (gate.proto).
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "base/result.h"
#include "pointsman/v1/gate.pb.h"

namespace pointsman::classifier {

inline constexpr std::uint32_t kGateVersion = 1;
inline constexpr std::uint32_t kGateBucketBits = 16;   // log2 of a feature group's buckets
inline constexpr std::size_t kGateMaxBytes = 2048;     // of a text that are read
inline constexpr std::size_t kGateMaxExamples = 4096;  // that a gate keeps
inline constexpr std::size_t kGateBuckets = std::size_t{3} << kGateBucketBits;

// What is wrong with the numbers of a gate, or "" when it can be served.
std::string Flaw(const v1::ExpertGate& gate);

// Reads a file and checks it whole. Blocking. Every error names the file and the reason.
Result<v1::ExpertGate> ReadGate(const std::filesystem::path& file);

// Writes beside `file` and renames over it. Blocking. Returns the checksum.
Result<std::string> WriteGate(const std::filesystem::path& file, const v1::ExpertGate& gate);

// The error of a gate's file.
Error BadGate(const std::filesystem::path& file, const std::string& what);

// SHA-256 of the serialised token vectors, 64 hexadecimal digits: gates know theirs by it.
std::string EmbeddingChecksum(const v1::StaticEmbedding& embedding);

}  // namespace pointsman::classifier
