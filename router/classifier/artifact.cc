#include "router/classifier/artifact.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <set>

#include "router/classifier/ensemble.h"
#include "router/classifier/features.h"

namespace pointsman::classifier {
namespace {

constexpr std::string_view kMagic = "PMARTIF1";
constexpr std::size_t kSumBytes = 32;
constexpr std::size_t kHeaderBytes = kMagic.size() + kSumBytes;
constexpr std::uintmax_t kMaxFileBytes = 512U << 20;

Error Bad(const std::filesystem::path& file, const std::string& what) {
  return {ErrorClass::kCallersFault, Code::kFailedPrecondition, "classifier artifact " + file.string() + ": " + what};
}

std::array<unsigned char, kSumBytes> Sha256(std::string_view data) {
  std::array<unsigned char, kSumBytes> sum{};
  unsigned int size = kSumBytes;
  EVP_Digest(data.data(), data.size(), sum.data(), &size, EVP_sha256(), nullptr);
  return sum;
}

std::string Hex(const std::array<unsigned char, kSumBytes>& sum) {
  constexpr std::string_view kDigitsOf16 = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : sum) {
    hex += kDigitsOf16[byte >> 4];
    hex += kDigitsOf16[byte & 15];
  }
  return hex;
}

// Whether a serialised message stops inside a field: what a cut file looks like.
bool EndsEarly(std::string_view message) {
  google::protobuf::io::ArrayInputStream bytes(message.data(), static_cast<int>(message.size()));
  google::protobuf::io::CodedInputStream in(&bytes);
  constexpr std::uint32_t kLengthDelimited = 2;
  while (in.CurrentPosition() < static_cast<int>(message.size())) {
    std::uint32_t tag = 0, length = 0;
    std::uint64_t number = 0;
    if (!in.ReadVarint32(&tag)) return true;
    if ((tag & 7) == kLengthDelimited) {
      if (!in.ReadVarint32(&length) || !in.Skip(static_cast<int>(length & 0x7FFFFFFF))) return true;
    } else if ((tag & 7) != 0) {
      return false;  // the message has no such field at its top: damaged, not cut
    } else if (!in.ReadVarint64(&number)) {
      return true;
    }
  }
  return false;
}

template <class Values>
bool AllFinite(const Values& values) {
  for (const float value : values) {
    if (!std::isfinite(value)) return false;
  }
  return true;
}

}  // namespace

std::string Flaw(const v1::LinearClassifier& model) {
  const auto categories = static_cast<std::size_t>(model.categories_size());
  if (categories < 2 || categories > kMaxCategories)
    return "it has " + std::to_string(categories) + " categories (2 to 256)";
  const std::set<std::string> distinct(model.categories().begin(), model.categories().end());
  if (distinct.size() != categories || distinct.contains("")) return "its category names are empty or not distinct";
  if (model.bucket_bits() < 8 || model.bucket_bits() > 22) return "bucket_bits is not 8 to 22";
  if (model.groups() != kGroups) return "it has " + std::to_string(model.groups()) + " feature groups (3)";
  if (model.max_bytes() < 64 || model.max_bytes() > kMaxTextBytes) return "max_bytes is not 64 to 8192";
  const std::size_t rows = static_cast<std::size_t>(kGroups) << model.bucket_bits();
  if (model.idf().size() != rows) return "the idf table has the wrong size";
  if (model.weights().size() != rows * categories) return "the weight table has the wrong size";
  if (static_cast<std::size_t>(model.scales_size()) != categories) return "it has the wrong number of scales";
  if (static_cast<std::size_t>(model.bias_size()) != categories) return "it has the wrong number of biases";
  if (!AllFinite(model.scales()) || !AllFinite(model.bias()) || !std::isfinite(model.idf_scale())) {
    return "a scale or bias is not a finite number";
  }
  if (!(model.temperature() > 0) || !std::isfinite(model.temperature())) return "the temperature is not positive";
  if (!(model.entropy_threshold() >= 0) || !std::isfinite(model.entropy_threshold())) {
    return "the entropy threshold is negative or not a number";
  }
  return "";
}

std::string Flaw(const v1::Artifact& artifact) {
  if (std::string flaw = Flaw(artifact.classifier()); !flaw.empty()) return flaw;
  if (artifact.has_embedding() != artifact.has_neighbours() || artifact.has_embedding() != artifact.has_ensemble()) {
    return "it has a part of the ensemble only";
  }
  if (!artifact.has_embedding()) return "";
  if (std::string flaw = Flaw(artifact.embedding()); !flaw.empty()) return flaw;
  const auto categories = static_cast<std::size_t>(artifact.classifier().categories_size());
  const v1::Neighbours& neighbours = artifact.neighbours();
  if (std::string flaw = Flaw(neighbours, artifact.embedding().dimensions(), categories); !flaw.empty()) return flaw;
  return Flaw(artifact.ensemble(), static_cast<std::size_t>(neighbours.sharpness_size()) + 1,
              artifact.embedding().dimensions(), categories);
}

Result<ArtifactFile> ReadArtifact(const std::filesystem::path& file) {
  auto read = ReadParts(file);
  if (!read) return read;
  if (const std::string flaw = Flaw(read->artifact); !flaw.empty()) return Bad(file, flaw);
  return read;
}

Result<ArtifactFile> ReadParts(const std::filesystem::path& file) {
  std::error_code code;
  const std::uintmax_t size = std::filesystem::file_size(file, code);
  if (code) return Bad(file, code.message() + " (`pointsman train classifier` makes one)");
  if (size > kMaxFileBytes) return Bad(file, "not an artifact: larger than 512 MiB");
  std::string data(size, '\0');
  std::ifstream in(file, std::ios::binary);
  if (!in.read(data.data(), static_cast<std::streamsize>(size))) return Bad(file, "cannot be read");
  return ParseParts(data, file);
}

Result<ArtifactFile> ParseArtifact(std::string_view bytes, const std::filesystem::path& file) {
  auto read = ParseParts(bytes, file);
  if (!read) return read;
  if (const std::string flaw = Flaw(read->artifact); !flaw.empty()) return Bad(file, flaw);
  return read;
}

Result<ArtifactFile> ParseParts(std::string_view bytes, const std::filesystem::path& file) {
  const std::string_view magic = bytes.substr(0, kMagic.size());
  if (magic.empty()) return Bad(file, "truncated: it is empty");
  if (magic != kMagic.substr(0, magic.size())) {
    if (magic.size() == kMagic.size() && magic.substr(0, 7) == kMagic.substr(0, 7)) {
      return Bad(file,
                 "written by another version (" + std::string(magic) + ", this program reads PMARTIF1): train it anew");
    }
    return Bad(file, "not an artifact: it does not begin with PMARTIF1");
  }
  if (bytes.size() <= kHeaderBytes) return Bad(file, "truncated: it has " + std::to_string(bytes.size()) + " bytes");
  const std::string_view message = bytes.substr(kHeaderBytes);
  const auto sum = Sha256(message);
  if (std::memcmp(sum.data(), bytes.data() + kMagic.size(), kSumBytes) != 0) {
    if (EndsEarly(message)) return Bad(file, "truncated: it ends in the middle of the model");
    return Bad(file, "checksum mismatch: the file is damaged");
  }
  ArtifactFile result;
  result.checksum = Hex(sum);
  if (!result.artifact.ParseFromArray(message.data(), static_cast<int>(message.size()))) {
    return Bad(file, "not an artifact: its message cannot be parsed");
  }
  if (result.artifact.version() != kArtifactVersion) {
    return Bad(file, "written by another version (format " + std::to_string(result.artifact.version()) +
                         ", this program reads 1): train it anew");
  }
  return result;
}

Result<std::string> WriteArtifact(const std::filesystem::path& file, const v1::Artifact& artifact) {
  const std::string message = artifact.SerializeAsString();
  const auto sum = Sha256(message);
  std::filesystem::path draft = file;
  draft += ".";
  draft += std::to_string(getpid());
  draft += ".tmp";
  const auto failed = [&](const char* what) {
    const std::string why = errno != 0 ? std::strerror(errno) : "unknown error";
    std::error_code ignored;
    std::filesystem::remove(draft, ignored);
    return Bad(file, std::string(what) + ": " + why);
  };
  errno = 0;
  std::ofstream out(draft, std::ios::binary | std::ios::trunc);
  if (!out) return failed("cannot be written");
  out.write(kMagic.data(), kMagic.size());
  out.write(reinterpret_cast<const char*>(sum.data()), kSumBytes);
  out.write(message.data(), static_cast<std::streamsize>(message.size()));
  out.close();
  if (!out) return failed("cannot be written");
  std::error_code code;
  std::filesystem::rename(draft, file, code);
  if (code) {
    errno = code.value();
    return failed("cannot be put in place");
  }
  return Hex(sum);
}

}  // namespace pointsman::classifier
