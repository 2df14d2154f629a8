// bench/classifier_bench.cc: what loading the shipped artifact and classifying one prompt with it cost. Many different
// prompts in turn, so that the weights do not all stay in the first cache as they would with one prompt.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "router/classifier/classifier.h"

namespace {

using pointsman::classifier::Classifier;

auto LoadShipped() {
  return Classifier::Load(std::filesystem::path(POINTSMAN_SOURCE_DIR) / "models/classifier.pmc", std::nullopt);
}

const Classifier* Shipped() {
  static const auto loaded = LoadShipped();
  return loaded.ok() ? loaded->get() : nullptr;
}

// Of this process, in kB; `name` is a line of Linux's /proc/self/status.
double Memory(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name + ":")) return std::stod(line.substr(name.size() + 1));
  }
  return 0;
}

// Time of a load, from a warm page cache; and what one loaded classifier keeps of the process's own memory and of the
// file's pages (shared with every process that maps it), and the most that its loading took of both, in kB.
void Load(benchmark::State& state) {
  malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << "5";  // the peak begins anew
  const double own = Memory("RssAnon"), shared = Memory("RssFile"), all = Memory("VmRSS");
  {
    const auto loaded = LoadShipped();
    if (!loaded.ok()) {
      state.SkipWithError("models/classifier.pmc cannot be loaded");
      return;
    }
    state.counters["peak_kB"] = Memory("VmHWM") - all;
    malloc_trim(0);
    state.counters["own_kB"] = Memory("RssAnon") - own;
    state.counters["file_kB"] = Memory("RssFile") - shared;
  }
  for (auto _ : state) benchmark::DoNotOptimize(LoadShipped());
}
BENCHMARK(Load)->Name("classifier/load")->Iterations(50)->Unit(benchmark::kMillisecond);

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
