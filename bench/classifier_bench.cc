// bench/classifier_bench.cc: what classifying one prompt costs, with the shipped artifact. Many different prompts in
// turn, so that the weights do not all stay in the first cache as they would with one prompt.
#include <benchmark/benchmark.h>

#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "router/classifier/classifier.h"

namespace {

using pointsman::classifier::Classifier;

const Classifier* Shipped() {
  static const auto loaded =
      Classifier::Load(std::filesystem::path(POINTSMAN_SOURCE_DIR) / "models/classifier.pmc", std::nullopt);
  return loaded.ok() ? loaded->get() : nullptr;
}

// `count` texts of exactly `bytes` bytes, of common words in random order.
std::vector<std::string> Prompts(std::size_t bytes, std::size_t count) {
  static const std::vector<std::string> kWords = {
      "what",    "is",    "the",      "of",        "a",        "function", "that",     "returns",   "energy",
      "in",      "court", "which",    "patient",   "with",     "pressure", "to",       "company",   "market",
      "theory",  "for",   "integral", "following", "between",  "cells",    "state",    "and",       "number",
      "history", "write", "python",   "price",     "memory",   "reaction", "velocity", "if",        "12",
      "300",     "how",   "many",     "doctor",    "contract", "virus",    "explain",  "difference"};
  std::mt19937 random(1);
  std::vector<std::string> prompts(count);
  for (std::string& prompt : prompts) {
    while (prompt.size() < bytes) prompt += kWords[random() % kWords.size()] + (random() % 12 == 0 ? ", " : " ");
    prompt.resize(bytes);
    prompt.back() = '?';
  }
  return prompts;
}

void Classify(benchmark::State& state) {
  const Classifier* classifier = Shipped();
  if (classifier == nullptr) {
    state.SkipWithError("models/classifier.pmc cannot be loaded");
    return;
  }
  const auto prompts = Prompts(static_cast<std::size_t>(state.range(0)), 512);
  std::size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(classifier->Classify(prompts[next]));
    next = (next + 1) % prompts.size();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(Classify)->Name("classify/bytes")->Arg(39)->Arg(356)->Arg(2048)->Arg(100000)->Unit(benchmark::kMicrosecond);

void Explain(benchmark::State& state) {
  const Classifier* classifier = Shipped();
  if (classifier == nullptr) {
    state.SkipWithError("models/classifier.pmc cannot be loaded");
    return;
  }
  const auto prompts = Prompts(356, 64);
  std::size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(classifier->Explain(prompts[next], 0, 8));
    next = (next + 1) % prompts.size();
  }
}
BENCHMARK(Explain)->Name("explain/356")->Unit(benchmark::kMicrosecond);

}  // namespace
