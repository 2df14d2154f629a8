// bench/expert_gates_bench.cc: what the logits of many experts' gates cost for one prompt, with the shipped token
// vectors. The gates are of random numbers: their cost depends on their sizes alone.
#include <benchmark/benchmark.h>

#include <boost/json.hpp>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "router/classifier/artifact.h"
#include "router/classifier/expert_gates.h"
#include "router/classifier/gate_file.h"
#include "router/offline/lines.h"

namespace {

using pointsman::classifier::ExpertGates;
using pointsman::classifier::GateForm;
using pointsman::classifier::StaticEmbedding;

std::shared_ptr<const StaticEmbedding> Tokens() {
  static const auto tokens = [] {
    const auto read =
        pointsman::classifier::ReadParts(std::filesystem::path(POINTSMAN_SOURCE_DIR) / "models/classifier.pmc");
    return read && read->artifact.has_embedding() ? std::make_shared<const StaticEmbedding>(read->artifact.embedding())
                                                  : std::shared_ptr<const StaticEmbedding>();
  }();
  return tokens;
}

std::string Bytes(std::mt19937& random, std::size_t count) {
  std::string bytes(count, '\0');
  for (char& byte : bytes) byte = static_cast<char>(static_cast<std::int8_t>(static_cast<int>(random() % 255) - 127));
  return bytes;
}

// With `examples` own prompts in clusters of 32, of which 192 rows are read, as FitGate makes them.
pointsman::v1::ExpertGate Gate(std::size_t dimensions, std::size_t examples, unsigned seed) {
  std::mt19937 random(seed);
  pointsman::v1::ExpertGate gate;
  gate.set_expert("expert");
  gate.set_dimensions(static_cast<std::uint32_t>(dimensions));
  for (std::size_t d = 0; d < dimensions; ++d) {
    gate.add_phatgoose(static_cast<float>(random() % 100));
    gate.add_average_activation(static_cast<float>(random() % 100));
    gate.add_logistic(static_cast<float>(random() % 100));
  }
  gate.mutable_ngrams()->set_weights(Bytes(random, pointsman::classifier::kGateBuckets));
  gate.mutable_ngrams()->set_scale(0.01F);
  auto& kept = *gate.mutable_examples();
  kept.set_vectors(Bytes(random, examples * dimensions));
  for (std::size_t i = 0; i < examples; ++i) kept.add_scales(0.001F);
  const std::size_t clusters = examples <= 192 ? 1 : examples / 32;
  for (std::size_t k = 0; k <= clusters; ++k) {
    kept.add_cluster_begin(static_cast<std::uint32_t>(k * examples / clusters));
  }
  kept.set_centroids(Bytes(random, clusters * dimensions));
  kept.set_probes(static_cast<std::uint32_t>(clusters == 1 ? 1 : (192 * clusters + examples - 1) / examples));
  return gate;
}

// Texts of exactly `bytes` bytes: the prompts that ship with the project, one after the other.
std::vector<std::string> Prompts(std::size_t bytes) {
  std::vector<std::string> prompts(1);
  pointsman::offline::Lines lines(std::filesystem::path(POINTSMAN_SOURCE_DIR) / "models/everyday.jsonl");
  std::string error;
  while (lines.open()) {
    const auto line = lines.Next(error);
    if (!line) break;
    prompts.back() += std::string(boost::json::parse(*line).at("text").as_string()) + " ";
    if (prompts.back().size() < bytes) continue;
    prompts.back().resize(bytes);
    prompts.emplace_back();
  }
  prompts.pop_back();
  return prompts;
}

void Logits(benchmark::State& state, GateForm form) {
  const auto tokens = Tokens();
  if (tokens == nullptr) {
    state.SkipWithError("models/classifier.pmc has no token vectors");
    return;
  }
  std::vector<pointsman::v1::ExpertGate> gates;
  for (int e = 0; e < state.range(0); ++e) {
    gates.push_back(Gate(tokens->dimensions(), static_cast<std::size_t>(state.range(1)), static_cast<unsigned>(e)));
  }
  const ExpertGates served(gates, tokens, form);
  gates.clear();
  std::vector<float> logits(served.size());
  const auto prompts = Prompts(static_cast<std::size_t>(state.range(2)));
  if (prompts.empty()) {
    state.SkipWithError("models/everyday.jsonl cannot be read");
    return;
  }
  std::size_t next = 0;
  for (auto _ : state) {
    served.Logits(prompts[next], logits);
    benchmark::DoNotOptimize(logits.data());
    next = (next + 1) % prompts.size();
  }
}

void Ensemble(benchmark::State& state) { Logits(state, GateForm::kEnsemble); }
BENCHMARK(Ensemble)
    ->Name("gates/ensemble/experts/examples/bytes")
    ->Args({1, 1000, 255})
    ->Args({14, 400, 255})
    ->Args({30, 400, 255})
    ->Args({30, 1000, 39})
    ->Args({30, 1000, 255})
    ->Args({30, 1000, 2048})
    ->Args({30, 4096, 255})
    ->Args({300, 1000, 255})
    ->Unit(benchmark::kMicrosecond);

void Neighbours(benchmark::State& state) { Logits(state, GateForm::kNeighbours); }
BENCHMARK(Neighbours)
    ->Name("gates/neighbours/experts/examples/bytes")
    ->Args({30, 1000, 255})
    ->Unit(benchmark::kMicrosecond);

void Ngrams(benchmark::State& state) { Logits(state, GateForm::kNgrams); }
BENCHMARK(Ngrams)->Name("gates/ngrams/experts/examples/bytes")->Args({30, 1000, 255})->Unit(benchmark::kMicrosecond);

void Phatgoose(benchmark::State& state) { Logits(state, GateForm::kPhatgoose); }
BENCHMARK(Phatgoose)
    ->Name("gates/phatgoose/experts/examples/bytes")
    ->Args({30, 1000, 255})
    ->Unit(benchmark::kMicrosecond);

}  // namespace
