#include "router/classifier/artifact.h"

#include <cmath>
#include <set>

#include "router/classifier/ensemble.h"
#include "router/classifier/envelope.h"
#include "router/classifier/features.h"

namespace pointsman::classifier {
namespace {

constexpr Envelope kEnvelope = {"PMARTIF1", "classifier artifact", "pointsman train classifier"};

Result<ArtifactFile> Parse(const EnvelopeFile& read, const std::filesystem::path& file) {
  ArtifactFile result;
  result.checksum = read.checksum;
  if (!result.artifact.ParseFromString(read.message)) {
    return BadFile(kEnvelope, file, "not an artifact: its message cannot be parsed");
  }
  if (result.artifact.version() != kArtifactVersion) {
    return BadFile(kEnvelope, file,
                   "written by another version (format " + std::to_string(result.artifact.version()) +
                       ", this program reads 1): train it anew");
  }
  return result;
}

Result<ArtifactFile> Checked(Result<ArtifactFile> read, const std::filesystem::path& file) {
  if (!read) return read;
  if (const std::string flaw = Flaw(read->artifact); !flaw.empty()) return BadFile(kEnvelope, file, flaw);
  return read;
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

Result<ArtifactFile> ReadArtifact(const std::filesystem::path& file) { return Checked(ReadParts(file), file); }

Result<ArtifactFile> ReadParts(const std::filesystem::path& file) {
  const auto read = ReadEnvelope(kEnvelope, file);
  if (!read) return read.error();
  return Parse(*read, file);
}

Result<ArtifactFile> ParseArtifact(std::string_view bytes, const std::filesystem::path& file) {
  const auto read = OpenEnvelope(kEnvelope, std::string(bytes), file);
  return Checked(read ? Parse(*read, file) : Result<ArtifactFile>(read.error()), file);
}

Result<std::string> WriteArtifact(const std::filesystem::path& file, const v1::Artifact& artifact) {
  return WriteEnvelope(kEnvelope, file, artifact.SerializeAsString());
}

}  // namespace pointsman::classifier
