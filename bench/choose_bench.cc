// What a decision costs once the evidence is there: policies::Choose with 30 and with 300 experts.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <random>

#include "policies/choose.h"

namespace {

using namespace pointsman;

constexpr std::size_t kCategories = 22;

struct Setting {
  config::Config config;
  config::Policy policy;
  std::vector<std::string> categories;
  policies::Evidence evidence;
  policies::RequestFacts facts;

  explicit Setting(std::size_t experts) {
    std::mt19937_64 random(1);
    std::normal_distribution<float> normal(0, 2);
    for (std::size_t e = 0; e < experts; ++e) {
      config::Expert expert;
      expert.name = "expert-" + std::to_string(e);
      expert.backend = config::LocalBackend{"m"};
      expert.context = 8192;
      expert.price = config::Price{1, 1};
      config.experts.push_back(expert);
      evidence.gates.push_back(normal(random));
    }
    evidence.probabilities = {0.6F, 0.2F, 0.1F, 0.05F};
    evidence.probabilities.resize(kCategories, 0.05F / (kCategories - 4));
    for (std::size_t c = 0; c < kCategories; ++c) categories.push_back("category " + std::to_string(c));
    evidence.categories = categories;
    facts.prompt_tokens = 200;
    facts.max_tokens = 200;
    policy.name = "p";
  }
  void Map() {
    config::CategoryMap map;
    for (std::size_t c = 0; c < kCategories; ++c) {
      map.experts[categories[c]] = {c % config.experts.size(), (c + 7) % config.experts.size()};
    }
    map.experts["general"] = {0, 1};
    policy.score = map;
  }
  void Several() {
    policy.select.rule = config::Select::kTopP;
    policy.select.mass = 0.6;
    policy.ensemble = config::Combine::kVote;
  }
};

void Run(benchmark::State& state, const Setting& setting) {
  for (auto _ : state) {
    auto choice = policies::Choose(setting.config, setting.policy, setting.facts, &setting.evidence);
    benchmark::DoNotOptimize(choice);
  }
}

void ChooseMap(benchmark::State& state) {
  Setting setting(static_cast<std::size_t>(state.range(0)));
  setting.Map();
  Run(state, setting);
}
BENCHMARK(ChooseMap)->Arg(30)->Arg(300);

void ChooseMapTopP(benchmark::State& state) {
  Setting setting(static_cast<std::size_t>(state.range(0)));
  setting.Map();
  setting.Several();
  Run(state, setting);
}
BENCHMARK(ChooseMapTopP)->Arg(30)->Arg(300);

void ChooseGates(benchmark::State& state) {
  Setting setting(static_cast<std::size_t>(state.range(0)));
  setting.policy.score = config::Gates{};
  Run(state, setting);
}
BENCHMARK(ChooseGates)->Arg(30)->Arg(300);

void ChooseGatesTopP(benchmark::State& state) {
  Setting setting(static_cast<std::size_t>(state.range(0)));
  setting.policy.score = config::Gates{};
  setting.Several();
  Run(state, setting);
}
BENCHMARK(ChooseGatesTopP)->Arg(30)->Arg(300);

void ChooseGatesBudget(benchmark::State& state) {
  Setting setting(static_cast<std::size_t>(state.range(0)));
  setting.policy.score = config::Gates{};
  setting.Several();
  setting.policy.budget.price = 0.0005;
  Run(state, setting);
}
BENCHMARK(ChooseGatesBudget)->Arg(30)->Arg(300);

}  // namespace
