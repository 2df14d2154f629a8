#include "router/classifier/cascade_file.h"

#include <optional>

#include "router/classifier/envelope.h"

namespace pointsman::classifier {
namespace {

constexpr Envelope kEnvelope = {"PMCASCA1", "cascade gate", "pointsman train cascade"};

std::vector<double> Doubles(const google::protobuf::RepeatedField<double>& values) {
  return {values.begin(), values.end()};
}

}  // namespace

std::string FromProto(const v1::CascadeGate& stored, gate::CascadeGate& gate) {
  gate = {};
  const std::optional<gate::GateKind> kind = gate::KindNamed(stored.kind());
  if (!kind || *kind == gate::GateKind::kSignal) {
    return "it is of an unknown kind, \"" + stored.kind() + "\": train it anew";
  }
  gate.kind = *kind;
  gate.source = gate::SourceNamed(stored.source());
  gate.tokens = stored.tokens();
  gate.weak = stored.weak();
  gate.strong = stored.strong();
  for (const std::string& name : stored.inputs()) {
    const std::optional<gate::Signal> signal = gate::SignalNamed(name);
    if (!signal) {
      return "it reads an unknown signal, \"" + name + "\": train it anew";
    }
    gate.inputs.push_back(*signal);
  }
  gate.weights = Doubles(stored.weights());
  gate.bias = stored.bias();
  gate.hidden_weights = Doubles(stored.hidden_weights());
  gate.hidden_bias = Doubles(stored.hidden_bias());
  gate.categories = {stored.categories().begin(), stored.categories().end()};
  gate.category_weights = Doubles(stored.category_weights());
  gate.category_slopes = Doubles(stored.category_slopes());
  gate.gain_quantiles = Doubles(stored.gain_quantiles());
  for (const v1::CascadePoint& point : stored.curve()) {
    gate.curve.push_back({point.threshold(), point.strong_share(), point.quality(), point.shift()});
  }
  gate.weak_quality = stored.weak_quality();
  gate.strong_quality = stored.strong_quality();
  gate.read_share = stored.read_share();
  return gate::Flaw(gate);
}

Result<CascadeFile> LoadCascade(const std::filesystem::path& file) {
  auto read = ReadEnvelope(kEnvelope, file);
  if (!read) return std::move(read).error();
  v1::CascadeArtifact artifact;
  if (!artifact.ParseFromString(read->message)) return BadFile(kEnvelope, file, "its message cannot be parsed");
  if (artifact.version() != kCascadeVersion) {
    return BadFile(kEnvelope, file,
                   "written by another version (format " + std::to_string(artifact.version()) +
                       ", this program reads " + std::to_string(kCascadeVersion) + "): train it anew");
  }
  gate::CascadeGate gate;
  if (const std::string flaw = FromProto(artifact.gate(), gate); !flaw.empty()) return BadFile(kEnvelope, file, flaw);
  return CascadeFile{std::move(gate), std::move(read->checksum)};
}

v1::CascadeGate ToProto(const gate::CascadeGate& gate) {
  v1::CascadeGate stored;
  stored.set_kind(std::string(Name(gate.kind)));
  if (gate.source) stored.set_source(std::string(Name(*gate.source)));
  stored.set_tokens(static_cast<std::uint32_t>(gate.tokens));
  stored.set_weak(gate.weak);
  stored.set_strong(gate.strong);
  for (const gate::Signal input : gate.inputs) stored.add_inputs(std::string(Name(input)));
  stored.mutable_weights()->Add(gate.weights.begin(), gate.weights.end());
  stored.set_bias(gate.bias);
  stored.mutable_hidden_weights()->Add(gate.hidden_weights.begin(), gate.hidden_weights.end());
  stored.mutable_hidden_bias()->Add(gate.hidden_bias.begin(), gate.hidden_bias.end());
  for (const std::string& name : gate.categories) stored.add_categories(name);
  stored.mutable_category_weights()->Add(gate.category_weights.begin(), gate.category_weights.end());
  stored.mutable_category_slopes()->Add(gate.category_slopes.begin(), gate.category_slopes.end());
  stored.mutable_gain_quantiles()->Add(gate.gain_quantiles.begin(), gate.gain_quantiles.end());
  for (const gate::OperatingPoint& point : gate.curve) {
    v1::CascadePoint& to = *stored.add_curve();
    to.set_threshold(point.threshold);
    to.set_strong_share(point.strong_share);
    to.set_quality(point.quality);
    to.set_shift(point.shift);
  }
  stored.set_weak_quality(gate.weak_quality);
  stored.set_strong_quality(gate.strong_quality);
  stored.set_read_share(gate.read_share);
  return stored;
}

Result<std::string> WriteCascade(const std::filesystem::path& file, const v1::CascadeArtifact& artifact) {
  return WriteEnvelope(kEnvelope, file, artifact.SerializeAsString());
}

}  // namespace pointsman::classifier
