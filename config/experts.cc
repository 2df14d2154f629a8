// The section experts, but for its remote part (openai.cc).
#include <algorithm>

#include "config/mapping.h"
#include "config/names.h"
#include "config/sections.h"

namespace pointsman::config {
namespace {

constexpr std::size_t kMostStops = 16, kLongestStop = 256;  // as in chat.proto
constexpr Capabilities kLocalCapabilities = kJsonSchema | kGrammar | kLogprobs;

void ReadLocal(const Value& value, const Engine& engine, LocalBackend& backend, const Model** model) {
  Section section(value);
  const Value name = section.Require("model", "one of engine.models");
  section.Finish();
  auto text = name.Text(1, 256);
  if (!text) return;
  backend.model = *text;
  std::vector<std::string_view> known;
  for (const Model& each : engine.models) {
    known.push_back(each.name);
    if (each.name == *text) *model = &each;
  }
  if (*model == nullptr) {
    name.Fail("there is no model " + Quote(*text) + " (" + Suggest(*text, known, "models under engine.models") + ")");
  } else if ((*model)->kind == ModelKind::kEncoder) {
    name.Fail("model " + Quote(*text) + " is an encoder: it cannot answer (name a model of kind text)");
  }
}

std::optional<Capabilities> ReadCapabilities(const Value& value, bool local) {
  auto items = value.List(0, std::size(kAllCapabilities));
  if (!items) return std::nullopt;
  std::vector<std::string_view> names;
  for (Capability capability : kAllCapabilities) names.push_back(Name(capability));
  Capabilities capabilities = 0;
  for (const Value& item : *items) {
    auto text = item.Text(1, 64);
    if (!text) continue;
    auto found = std::find(names.begin(), names.end(), *text);
    if (found == names.end()) {
      item.Fail("is not a capability: " + Quote(*text) + " (" + Suggest(*text, names, "capabilities") + ")");
      continue;
    }
    const Capability capability = kAllCapabilities[found - names.begin()];
    if (capabilities & capability) item.Fail(*text + " is there twice (keep one of them)");
    if (local && !(capability & kLocalCapabilities)) {
      item.Fail("local experts cannot use " + *text + " (they can have json_schema, grammar and logprobs)");
    }
    capabilities |= capability;
  }
  return capabilities;
}

void ReadExpert(const Value& value, const Engine& engine, const SecretSources& secrets, Expert& expert) {
  Section section(value);
  const Value local = section.Take("local"), openai = section.Take("openai"), zero_cost = section.Take("zero_cost");
  const Model* model = nullptr;
  const int backends = section.Has("local") + section.Has("openai") + section.Has("zero_cost");
  if (backends > 1) {
    value.Fail("has more than one of local, openai and zero_cost (an expert has one backend)");
  } else if (value.IsMap() && backends == 0) {
    value.Fail(
        "has no backend (give it local: {model: ...}, openai: {url: ..., model: ...} or zero_cost: {kind: ...})");
  }
  if (local.present()) {
    ReadLocal(local, engine, expert.backend.emplace<LocalBackend>(), &model);
  }
  if (openai.present()) {
    ReadOpenAi(openai, secrets, expert.backend.emplace<OpenAiBackend>());
  }
  if (zero_cost.present()) {
    ReadZeroCost(zero_cost, secrets.folder, expert.backend.emplace<ZeroCostBackend>());
    expert.price.emplace();
    expert.energy = 0;
  }
  const bool is_local = local.present();
  expert.capabilities = is_local ? kLocalCapabilities : 0;

  Set(expert.description, section.Take("description").Text(0, 4096));
  Set(expert.system, section.Take("system").Text(0, std::size_t{256} << 10));
  const Value sampling = section.Take("sampling");
  ReadSampling(sampling, expert.sampling);
  Set(expert.capabilities, ReadCapabilities(section.Take("capabilities"), is_local));
  const Value context = section.Take("context");
  Set(expert.context, context.Number<unsigned>(64, 100'000'000, "tokens"));
  if (model != nullptr) {
    if (expert.context > model->context) {
      context.Fail("is " + std::to_string(expert.context) + ", and its model " + model->name + " has " +
                   std::to_string(model->context) + " (lower it, or raise engine.models." + model->name + ".context)");
    }
    if (expert.context == 0) expert.context = model->context;
  }
  if (expert.context > 0 && expert.sampling.max_tokens && *expert.sampling.max_tokens > expert.context) {
    sampling.Fail("max_tokens of " + std::to_string(*expert.sampling.max_tokens) + " is above the context of " +
                  std::to_string(expert.context) + " tokens");
  }
  Set(expert.parameters, section.Take("parameters").Real({.min = 0, .max = 100'000, .min_itself = false}));
  if (const Value price = section.Take("price"); price.present()) {
    Section prices(price);
    expert.price.emplace();
    constexpr char kUnit[] = "US dollars per million tokens";
    Set(expert.price->input, prices.Require("input", kUnit).Real({0, 1'000'000}));
    Set(expert.price->output, prices.Require("output", kUnit).Real({0, 1'000'000}));
    prices.Finish();
  }
  Set(expert.energy, section.Take("energy").Real({0, 1e9}));
  if (auto latency = section.Take("latency").Duration(std::chrono::milliseconds(1), std::chrono::hours(1))) {
    expert.latency = *latency;
  }
  section.Finish();
}

}  // namespace

void ReadSampling(const Value& value, SamplingDefaults& sampling) {
  Section section(value);
  auto real = [&](std::string_view key, Range range) { return section.Take(key).Real(range); };
  Set(sampling.temperature, real("temperature", {0, 2}));
  Set(sampling.top_p, real("top_p", {.min = 0, .max = 1, .min_itself = false}));
  Set(sampling.min_p, real("min_p", {0, 1}));
  Set(sampling.frequency_penalty, real("frequency_penalty", {-2, 2}));
  Set(sampling.presence_penalty, real("presence_penalty", {-2, 2}));
  Set(sampling.repeat_penalty, real("repeat_penalty", {.min = 0, .max = 2, .min_itself = false}));
  Set(sampling.top_k, section.Take("top_k").Number<unsigned>(0, 1'000'000, "tokens; 0 = off"));
  Set(sampling.max_tokens, section.Take("max_tokens").Number<unsigned>(1, 10'000'000, "tokens"));
  Set(sampling.seed, section.Take("seed").Number<std::uint64_t>(0, std::numeric_limits<std::uint64_t>::max(), ""));
  if (auto stops = section.Take("stop").List(0, kMostStops)) {
    for (const Value& stop : *stops) {
      if (auto text = stop.Text(1, kLongestStop)) sampling.stop.push_back(*std::move(text));
    }
  }
  section.Finish();
}

void ReadExperts(const Value& value, const Engine& engine, const SecretSources& secrets, std::vector<Expert>& experts) {
  constexpr std::size_t kMost = 1000;  // metric labels and look-ups are bounded by it
  for (const auto& [name, entry] : value.Entries("an expert", true)) {
    if (experts.size() == kMost) {
      value.Fail("has more than " + std::to_string(kMost) + " experts");
      return;
    }
    Expert& expert = experts.emplace_back();
    expert.name = name;
    ReadExpert(entry, engine, secrets, expert);
  }
}

}  // namespace pointsman::config
