// How many experts a policy selects, under which masks and ceilings, and how it runs them.
#include <algorithm>

#include "config/map_file.h"
#include "config/names.h"
#include "config/policy_parts.h"
#include "config/sections.h"

namespace pointsman::config {
namespace {

constexpr unsigned kMostMembers = 16;  // asked together for one request
constexpr unsigned kMostStages = 8;

// Exactly one of them says when the weak answer is kept.
void ReadTarget(const Value& value, Section& section, Stage& stage) {
  stage.threshold = section.Take("threshold").Real({0, 1});
  const Value share = section.Take("strong_share"), quality = section.Take("keep_quality");
  stage.strong_share = share.Real({0, 1});
  stage.keep_quality = quality.Real({.min = 0, .max = 1, .min_itself = false});
  const int given = section.Has("threshold") + section.Has("strong_share") + section.Has("keep_quality");
  const bool by_threshold = stage.rule == GateRule::kThreshold;
  if (by_threshold && given == 0) {
    value.Fail("says not when the weak answer is kept (give it threshold, strong_share or keep_quality)");
  }
  if (given > 1) value.Fail("has more than one of threshold, strong_share and keep_quality (one of them decides)");
  const bool drawn = stage.rule == GateRule::kStochastic;
  if (!by_threshold && (section.Has("threshold") || section.Has("keep_quality") || (!drawn && given > 0))) {
    value.Fail("has a threshold or a target, which this rule does not read (stochastic reads strong_share only)");
  }
  for (const Value& target : {share, quality}) {
    if (target.present() && !section.Has("gate")) {
      target.Fail("needs a gate that knows logged requests (pointsman train cascade); a signal needs a threshold");
    }
  }
}

void ReadStage(const PolicyReader& reader, const Value& value, std::vector<Stage>& stages) {
  Stage stage;
  Section section(value);
  const Value expert = section.Require("expert", "who answers first");
  if (auto found = ReadExpertName(expert, reader.experts)) {
    stage.expert = *found;
    const bool repeated = std::any_of(stages.begin(), stages.end(), [&](const Stage& s) { return s.expert == *found; });
    if (repeated) expert.Fail("is in this cascade already (an expert is a stage once)");
    if (*found < reader.catalogue.size() && reader.catalogue[*found].zero_cost()) {
      expert.Fail("answers nothing of its own (a stage is a model)");
    }
  }
  const Value signal = section.Take("signal"), rule = section.Take("rule"), samples = section.Take("samples");
  if (auto file = section.Take("gate").Text(1, 4096)) stage.gate = Resolve(reader.folder, *file);
  Set(stage.signal, signal.Choice({"max_probability", "margin", "variance", "entropy", "agreement"}));
  if (value.IsMap() && section.Has("gate") == section.Has("signal")) {
    value.Fail("needs a gate (a file of pointsman train cascade) or a signal, and one of them only");
  }
  if (auto name = rule.Choice({"threshold", "stochastic", "mixture"})) {
    stage.rule = *name == "mixture"      ? GateRule::kMixture
                 : *name == "stochastic" ? GateRule::kStochastic
                                         : GateRule::kThreshold;
  }
  ReadTarget(value, section, stage);
  const Value tokens = section.Take("tokens");
  Set(stage.tokens, tokens.Number<unsigned>(0, 4096, "tokens; 0 = the whole answer"));
  Set(stage.samples, samples.Number<unsigned>(1, kMostMembers, "answers"));
  const bool agreement = stage.signal == "agreement";
  if (agreement && stage.samples < 2) {
    signal.Fail("is agreement, and one answer agrees with itself (set samples to 2 or more)");
  }
  if (stage.samples > 1 && signal.present() && !agreement) {
    samples.Fail("is for signal: agreement, or for a gate that was trained with it");
  }
  if (stage.samples > 1 && stage.rule == GateRule::kMixture) {
    rule.Fail("is mixture, which weighs options by one answer's probabilities (remove samples)");
  }
  if (stage.expert < reader.catalogue.size()) {
    const Expert& weak = reader.catalogue[stage.expert];
    if (signal.present() && !agreement && !(weak.capabilities & kLogprobs) && !weak.zero_cost()) {
      signal.Fail("needs log-probabilities, which " + Quote(weak.name) +
                  " does not report (add logprobs to its capabilities if it does, or use signal: agreement)");
    }
    if (stage.samples > 1 && weak.sampling.temperature == 0) {
      samples.Fail("compares answers of " + Quote(weak.name) +
                   ", which are all the same at temperature 0 (raise experts." + weak.name + ".sampling.temperature)");
    }
  }
  section.Finish();
  stages.push_back(stage);
}

}  // namespace

void ReadMask(const Value& deny, const Value& require, const Value& boost, std::span<const std::string_view> experts,
              Mask& mask) {
  if (deny.present()) mask.deny = ReadCandidates(deny, experts);
  if (require.present()) mask.require = ReadCandidates(require, experts);
  for (std::size_t expert : mask.require) {
    if (std::find(mask.deny.begin(), mask.deny.end(), expert) != mask.deny.end()) {
      require.Fail("names " + Quote(experts[expert]) + ", which deny names too");
    }
  }
  for (const auto& [name, entry] : boost.Entries("an expert", true)) {
    const auto found = std::find(experts.begin(), experts.end(), name);
    auto value = entry.Real({-1000, 1000});
    if (found == experts.end()) {
      entry.Fail("there is no expert " + Quote(name) + " (" + Suggest(name, experts, "experts") + ")");
    } else if (value) {
      mask.boost.emplace_back(static_cast<std::size_t>(found - experts.begin()), *value);
    }
  }
}

void ReadSelection(PolicyReader& reader, const std::string& run, Selection& selection) {
  Section& section = reader.section;
  const Value select = section.Take("select");
  const std::string name = select.Choice({"best", "top_k", "top_p"}).value_or("best");
  selection.rule = name == "top_k" ? Select::kTopK : name == "top_p" ? Select::kTopP : Select::kBest;
  if (selection.rule != Select::kTopK) reader.Refuse({"k"}, "select: top_k");
  if (selection.rule != Select::kTopP) reader.Refuse({"mass", "most", "mean_experts"}, "select: top_p");
  if (selection.rule == Select::kBest) reader.Refuse({"temperature"}, "select: top_k and top_p");
  if (selection.rule != Select::kBest) {
    if (run == "single") {
      select.Fail("selects several, and run: single asks one after the other (set run: ensemble, or cascade)");
    }
    Set(selection.temperature, section.Take("temperature").Real({.min = 0, .max = 1000, .min_itself = false}));
  }
  if (selection.rule == Select::kTopK) Set(selection.k, section.Take("k").Number<unsigned>(1, kMostMembers, "experts"));
  if (selection.rule == Select::kTopP) {
    const Value mean = section.Take("mean_experts"), most = section.Take("most");
    Set(selection.mass, section.Take("mass").Real({.min = 0, .max = 1, .min_itself = false}));
    Set(selection.most, most.Number<unsigned>(1, kMostMembers, "experts"));
    selection.mean_experts = mean.Real({1, kMostMembers});
    if (selection.mean_experts && *selection.mean_experts > selection.most) {
      mean.Fail("is above the cap of " + std::to_string(selection.most) + " (raise most)");
    }
  }
}

void ReadBudget(const Value& value, std::span<const Expert> catalogue, Budget& budget) {
  Section section(value);
  const Value price = section.Take("price"), energy = section.Take("energy"), latency = section.Take("latency");
  budget.price = price.Real({.min = 0, .max = 1e6, .min_itself = false});
  budget.energy = energy.Real({.min = 0, .max = 1e12, .min_itself = false});
  if (auto limit = latency.Duration(std::chrono::milliseconds(1), std::chrono::hours(1))) budget.latency = *limit;
  section.Finish();
  const auto none = [&](auto has) { return std::none_of(catalogue.begin(), catalogue.end(), has); };
  if (budget.price && none([](const Expert& e) { return e.price || e.zero_cost(); })) {
    price.Fail("cannot be kept: no expert has a price (experts.*.price)");
  }
  if (budget.energy && none([](const Expert& e) { return e.energy || e.zero_cost(); })) {
    energy.Fail("cannot be kept: no expert has an energy (experts.*.energy)");
  }
  const auto quick = [&](const Expert& e) { return !e.latency || *e.latency <= *budget.latency; };
  if (budget.latency && none(quick)) latency.Fail("cannot be kept: every expert has a longer latency");
}

void ReadRun(PolicyReader& reader, const std::string& run, Policy& policy) {
  Section& section = reader.section;
  const bool several = policy.select.rule != Select::kBest;
  if (run == "single") reader.Refuse({"combine"}, "run: ensemble");
  if (run != "cascade") reader.Refuse({"cascade"}, "run: cascade");
  if (run == "ensemble" && !several) {
    section.Take("run").Fail("asks all that are selected, and select: best selects one (set select: top_k or top_p)");
  }
  if (several) policy.ensemble = Combine::kVote;
  if (run != "single") {
    const Value combine = section.Take("combine");
    if (auto rule = combine.Choice({"vote", "best"})) {
      if (!several) combine.Fail("combines several answers, and select: best selects one expert");
      policy.ensemble = *rule == "best" ? Combine::kBest : Combine::kVote;
    }
  }
  if (run != "cascade") return;
  const Value cascade = section.Take("cascade");
  if (!cascade.present()) {
    reader.value.Fail("has no \"cascade\" (run: cascade needs it: who answers first, and the gate)");
  } else if (cascade.IsMap()) {
    ReadStage(reader, cascade, policy.cascade);
  } else if (auto stages = cascade.List(1, kMostStages)) {
    for (const Value& stage : *stages) ReadStage(reader, stage, policy.cascade);
  }
  if (const auto* pinned = std::get_if<Pinned>(&policy.score); pinned && pinned->experts.size() == 1) {
    for (const Stage& stage : policy.cascade) {
      if (stage.expert == pinned->experts[0]) {
        cascade.Fail("asks " + Quote(reader.experts[stage.expert]) +
                     " first, and the policy has nobody else (a cascade needs a weak expert and another one)");
      }
    }
  }
}

}  // namespace pointsman::config
