#include "tests/support/gates.h"

#include "router/classifier/artifact.h"
#include "router/classifier/gate_file.h"
#include "router/offline/random.h"
#include "tests/support/embedding.h"
#include "tests/support/read_file.h"
#include "tests/support/topics.h"

namespace pointsman::testing {

v1::ExpertGate RandomGate(const std::string& expert, std::size_t dimensions, std::size_t examples, std::uint64_t seed) {
  offline::SplitMix random(seed);
  const auto real = [&] { return static_cast<float>(random.Below(2001)) / 1000 - 1; };
  const auto bytes = [&](std::size_t count) {
    std::string text(count, '\0');
    for (char& byte : text) byte = static_cast<char>(static_cast<std::int8_t>(random.Below(255)) - 127);
    return text;
  };
  v1::ExpertGate gate;
  gate.set_version(classifier::kGateVersion);
  gate.set_expert(expert);
  gate.set_embedding(std::string(64, '0'));
  gate.set_dimensions(static_cast<std::uint32_t>(dimensions));
  for (std::size_t d = 0; d < dimensions; ++d) {
    gate.add_phatgoose(real());
    gate.add_average_activation(real());
    gate.add_logistic(real());
  }
  gate.set_logistic_bias(real());
  gate.mutable_ngrams()->set_weights(bytes(classifier::kGateBuckets));
  gate.mutable_ngrams()->set_scale(0.01F);
  gate.mutable_ngrams()->set_bias(real());
  v1::GateExamples& kept = *gate.mutable_examples();
  kept.set_vectors(bytes(examples * dimensions));
  for (std::size_t i = 0; i < examples; ++i) kept.add_scales(0.001F);
  constexpr std::size_t kRowsPerCluster = 8;
  for (std::size_t begin = 0; begin < examples; begin += kRowsPerCluster) {
    kept.add_cluster_begin(static_cast<std::uint32_t>(begin));
  }
  const auto clusters = static_cast<std::size_t>(kept.cluster_begin_size());
  kept.add_cluster_begin(static_cast<std::uint32_t>(examples));
  kept.set_centroids(bytes(clusters * dimensions));
  kept.set_probes(static_cast<std::uint32_t>((clusters + 1) / 2));
  return gate;
}

std::filesystem::path PoolRows() { return SourceFile("models/everyday.jsonl"); }

offline::TrainGateOptions TopicGateOptions(const TempDir& dir, const std::string& topic) {
  offline::TrainGateOptions options;
  options.expert = topic;
  options.rows.files = {TopicRows()};
  options.rows.label_field.clear();
  options.rows.where_field = "topic";
  options.rows.where_value = topic;
  options.pool.files = {PoolRows()};
  options.pool.label_field.clear();
  options.embedding = TopicEmbedding();
  options.out = dir.path() / (topic + ".pmg");
  return options;
}

std::filesystem::path WriteTopicEmbedding(const TempDir& dir) {
  v1::Artifact artifact;
  artifact.set_version(classifier::kArtifactVersion);
  *artifact.mutable_embedding() = *TopicEmbedding();
  std::filesystem::path file = dir.path() / "tokens.pmc";
  if (!classifier::WriteArtifact(file, artifact)) return {};
  return file;
}

}  // namespace pointsman::testing
