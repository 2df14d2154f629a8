#include "router/classifier/artifact.h"

#include <cmath>
#include <set>

#include "router/classifier/ensemble.h"
#include "router/classifier/envelope.h"
#include "router/classifier/features.h"

namespace pointsman::classifier {
namespace {

constexpr Envelope kEnvelope = {"PMARTIF1", "classifier artifact", "pointsman train classifier"};

Error Unparsable(const std::filesystem::path& file) {
  return BadFile(kEnvelope, file, "not an artifact: its message cannot be parsed");
}

Result<void> ParseMessage(const std::string& message, const std::filesystem::path& file, v1::Artifact& artifact) {
  if (!artifact.ParseFromString(message)) return Unparsable(file);
  if (artifact.version() != kArtifactVersion) {
    return BadFile(kEnvelope, file,
                   "written by another version (format " + std::to_string(artifact.version()) +
                       ", this program reads 1): train it anew");
  }
  return {};
}

Result<ArtifactFile> Parse(const EnvelopeFile& read, const std::filesystem::path& file) {
  ArtifactFile result;
  result.checksum = read.checksum;
  if (auto parsed = ParseMessage(read.message, file, result.artifact); !parsed) return std::move(parsed).error();
  return result;
}

std::string FlawOf(const ArtifactFile& read) { return Flaw(read.artifact); }
std::string FlawOf(const MappedArtifact& read) { return Flaw(read); }

template <class File>
Result<File> Checked(Result<File> read, const std::filesystem::path& file) {
  if (!read) return read;
  if (const std::string flaw = FlawOf(*read); !flaw.empty()) return BadFile(kEnvelope, file, flaw);
  return read;
}

template <class Values>
bool AllFinite(const Values& values) {
  for (const float value : values) {
    if (!std::isfinite(value)) return false;
  }
  return true;
}

// What Flaw() says of tables of these sizes, in bytes.
struct TableSizes {
  std::size_t idf, weights, vectors, neighbours;
};

std::string LinearFlaw(const v1::LinearClassifier& model, const TableSizes& sizes) {
  const auto categories = static_cast<std::size_t>(model.categories_size());
  if (categories < 2 || categories > kMaxCategories)
    return "it has " + std::to_string(categories) + " categories (2 to 256)";
  const std::set<std::string> distinct(model.categories().begin(), model.categories().end());
  if (distinct.size() != categories || distinct.contains("")) return "its category names are empty or not distinct";
  if (model.bucket_bits() < 8 || model.bucket_bits() > 22) return "bucket_bits is not 8 to 22";
  if (model.groups() != kGroups) return "it has " + std::to_string(model.groups()) + " feature groups (3)";
  if (model.max_bytes() < 64 || model.max_bytes() > kMaxTextBytes) return "max_bytes is not 64 to 8192";
  const std::size_t rows = static_cast<std::size_t>(kGroups) << model.bucket_bits();
  if (sizes.idf != rows) return "the idf table has the wrong size";
  if (sizes.weights != rows * categories) return "the weight table has the wrong size";
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

std::string ArtifactFlaw(const v1::Artifact& artifact, const TableSizes& sizes) {
  if (std::string flaw = LinearFlaw(artifact.classifier(), sizes); !flaw.empty()) return flaw;
  if (artifact.has_embedding() != artifact.has_neighbours() || artifact.has_embedding() != artifact.has_ensemble()) {
    return "it has a part of the ensemble only";
  }
  if (!artifact.has_embedding()) return "";
  if (std::string flaw = Flaw(artifact.embedding(), sizes.vectors); !flaw.empty()) return flaw;
  const auto categories = static_cast<std::size_t>(artifact.classifier().categories_size());
  const std::size_t dimensions = artifact.embedding().dimensions();
  const v1::Neighbours& neighbours = artifact.neighbours();
  if (std::string flaw = Flaw(neighbours, sizes.neighbours, dimensions, categories); !flaw.empty()) return flaw;
  return Flaw(artifact.ensemble(), static_cast<std::size_t>(neighbours.sharpness_size()) + 1, dimensions, categories);
}

}  // namespace

std::string Flaw(const v1::LinearClassifier& model) {
  return LinearFlaw(model,
                    {.idf = model.idf().size(), .weights = model.weights().size(), .vectors = 0, .neighbours = 0});
}

std::string Flaw(const v1::Artifact& artifact) {
  return ArtifactFlaw(artifact, {.idf = artifact.classifier().idf().size(),
                                 .weights = artifact.classifier().weights().size(),
                                 .vectors = artifact.embedding().vectors().size(),
                                 .neighbours = artifact.neighbours().vectors().size()});
}

std::string Flaw(const MappedArtifact& artifact) {
  const ArtifactTables& tables = artifact.tables;
  return ArtifactFlaw(artifact.artifact, {.idf = tables.idf.size(),
                                          .weights = tables.weights.size(),
                                          .vectors = tables.vectors.size(),
                                          .neighbours = tables.neighbours.size()});
}

Result<ArtifactFile> ReadArtifact(const std::filesystem::path& file) { return Checked(ReadParts(file), file); }

Result<ArtifactFile> ReadParts(const std::filesystem::path& file) {
  const auto read = ReadEnvelope(kEnvelope, file);
  if (!read) return read.error();
  return Parse(*read, file);
}

Result<MappedArtifact> MapArtifact(const std::filesystem::path& file) { return Checked(MapParts(file), file); }

Result<MappedArtifact> MapParts(const std::filesystem::path& file) {
  auto mapped = MapEnvelope(kEnvelope, file);
  if (!mapped) return std::move(mapped).error();
  auto split = SplitTables(mapped->message, mapped->file);
  if (!split) return Unparsable(file);
  MappedArtifact result;
  if (auto parsed = ParseMessage(split->rest, file, result.artifact); !parsed) return std::move(parsed).error();
  result.tables = std::move(split->tables);
  result.embedding = std::move(split->embedding);
  result.checksum = std::move(mapped->checksum);
  return result;
}

Result<ArtifactFile> ParseArtifact(std::string_view bytes, const std::filesystem::path& file) {
  const auto read = OpenEnvelope(kEnvelope, std::string(bytes), file);
  return Checked(read ? Parse(*read, file) : Result<ArtifactFile>(read.error()), file);
}

Result<std::string> WriteArtifact(const std::filesystem::path& file, const v1::Artifact& artifact) {
  return WriteEnvelope(kEnvelope, file, artifact.SerializeAsString());
}

}  // namespace pointsman::classifier
