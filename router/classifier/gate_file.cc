#include "router/classifier/gate_file.h"

#include <algorithm>
#include <cmath>

#include "router/classifier/envelope.h"
#include "router/classifier/features.h"
#include "router/classifier/static_embedding.h"

namespace pointsman::classifier {
namespace {

constexpr Envelope kEnvelope = {"PMEXGAT1", "gate file", "pointsman train gate"};
static_assert(kGateBuckets == static_cast<std::size_t>(kGroups) << kGateBucketBits);
static_assert(kGateMaxBytes <= kMaxTextBytes);

template <class Values>
bool AllFinite(const Values& values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

std::string ExamplesFlaw(const v1::GateExamples& examples, std::size_t dimensions) {
  const auto rows = static_cast<std::size_t>(examples.scales_size());
  const auto clusters = static_cast<std::size_t>(examples.cluster_begin_size()) - 1;
  if (rows == 0 || rows > kGateMaxExamples) return "it has " + std::to_string(rows) + " examples (1 to 4096)";
  if (examples.vectors().size() != rows * dimensions) return "its examples' vectors have the wrong size";
  if (examples.cluster_begin_size() < 2 || examples.centroids().size() != clusters * dimensions ||
      examples.cluster_begin(0) != 0 || examples.cluster_begin(static_cast<int>(clusters)) != rows ||
      !std::is_sorted(examples.cluster_begin().begin(), examples.cluster_begin().end())) {
    return "its clusters are not those of its examples";
  }
  if (examples.probes() == 0 || examples.probes() > clusters) return "probes is not 1 to the number of clusters";
  if (!AllFinite(examples.scales())) return "a scale of its examples is not a finite number";
  return "";
}

}  // namespace

std::string Flaw(const v1::ExpertGate& gate) {
  if (gate.expert().empty()) return "it names no expert";
  const std::size_t dimensions = gate.dimensions();
  if (dimensions < 8 || dimensions > kMaxDimensions || dimensions % 8 != 0) {
    return "it has " + std::to_string(dimensions) + " dimensions (a multiple of 8 up to 512)";
  }
  if (gate.embedding().size() != 64) return "it does not say which token vectors it was trained with";
  for (const auto* vector : {&gate.phatgoose(), &gate.average_activation(), &gate.logistic()}) {
    if (static_cast<std::size_t>(vector->size()) != dimensions) return "one of its vectors has the wrong size";
    if (!AllFinite(*vector)) return "a number of its vectors is not finite";
  }
  if (gate.ngrams().weights().size() != kGateBuckets) return "its n-gram table has the wrong size";
  if (!std::isfinite(gate.logistic_bias()) || !std::isfinite(gate.ngrams().scale()) ||
      !std::isfinite(gate.ngrams().bias())) {
    return "a scale or bias is not a finite number";
  }
  return ExamplesFlaw(gate.examples(), dimensions);
}

Result<v1::ExpertGate> ReadGate(const std::filesystem::path& file) {
  const auto read = ReadEnvelope(kEnvelope, file);
  if (!read) return read.error();
  v1::ExpertGate gate;
  if (!gate.ParseFromString(read->message)) return BadGate(file, "its message cannot be parsed");
  if (gate.version() != kGateVersion) {
    return BadGate(file, "written by another version (format " + std::to_string(gate.version()) +
                             ", this program reads " + std::to_string(kGateVersion) + "): train it anew");
  }
  if (const std::string flaw = Flaw(gate); !flaw.empty()) return BadGate(file, flaw);
  return gate;
}

Result<std::string> WriteGate(const std::filesystem::path& file, const v1::ExpertGate& gate) {
  return WriteEnvelope(kEnvelope, file, gate.SerializeAsString());
}

Error BadGate(const std::filesystem::path& file, const std::string& what) { return BadFile(kEnvelope, file, what); }

std::string EmbeddingChecksum(const v1::StaticEmbedding& embedding) { return Checksum(embedding.SerializeAsString()); }

}  // namespace pointsman::classifier
