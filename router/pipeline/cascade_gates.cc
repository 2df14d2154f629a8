#include "router/pipeline/cascade_gates.h"

#include "router/classifier/cascade_file.h"

namespace pointsman::pipeline {
namespace {

// What is wrong with the gate for this stage, "" when nothing is.
std::string Misfit(const config::Config& config, const config::Stage& stage, const gate::CascadeGate& gate) {
  const config::Expert& weak = config.experts[stage.expert];
  if (!gate.weak.empty() && gate.weak != weak.name) {
    return "was fitted for the weak expert " + gate.weak + ", and this stage's is " + weak.name +
           " (train it with --weak " + weak.name + ")";
  }
  const bool votes = gate.source == gate::SignalSource::kAgreement;
  if (votes && stage.samples < 2) return "reads how far answers agree: set samples to 2 or more";
  if (!votes && gate.source && stage.samples > 1) return "reads one answer's probabilities: remove samples";
  if (!votes && stage.samples < 2 && !(weak.capabilities & config::kLogprobs)) {
    return "reads log-probabilities, which " + weak.name +
           " does not report (add logprobs to its capabilities if it does)";
  }
  return "";
}

Result<StageGate> LoadStage(const config::Config& config, const config::Stage& stage) {
  StageGate loaded;
  if (stage.gate.empty()) {
    auto gate = gate::SignalGate(stage.signal, stage.tokens);
    if (!gate) return std::move(gate).error();
    loaded.gate = *std::move(gate);
  } else {
    auto file = classifier::LoadCascade(stage.gate);
    if (!file) return std::move(file).error();
    loaded.gate = std::move(file->gate);
    loaded.checksum = std::move(file->checksum);
  }
  if (std::string why = Misfit(config, stage, loaded.gate); !why.empty()) {
    return InvalidArgument("", stage.gate.string() + ": " + why);
  }
  loaded.threshold = stage.threshold.value_or(0);
  if (stage.strong_share || stage.keep_quality) {
    auto point = stage.strong_share ? gate::ThresholdForShare(loaded.gate, *stage.strong_share)
                                    : gate::ThresholdForQuality(loaded.gate, *stage.keep_quality);
    if (!point) return std::move(point).error();
    loaded.threshold = point->threshold;
    loaded.shift = point->shift;
  }
  return loaded;
}

}  // namespace

std::vector<std::vector<StageGate>> LoadCascadeGates(const config::Config& config,
                                                     std::vector<config::Problem>& problems) {
  std::vector<std::vector<StageGate>> all(config.policies.size());
  for (std::size_t p = 0; p < config.policies.size(); ++p) {
    const config::Policy& policy = config.policies[p];
    for (std::size_t s = 0; s < policy.cascade.size(); ++s) {
      auto loaded = LoadStage(config, policy.cascade[s]);
      if (!loaded) {
        problems.push_back(config.ProblemAt("policies." + policy.name + ".cascade", loaded.error().message));
        continue;
      }
      all[p].push_back(*std::move(loaded));
    }
  }
  return all;
}

}  // namespace pointsman::pipeline
