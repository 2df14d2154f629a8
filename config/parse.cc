#include "config/parse.h"

#include <openssl/sha.h>

#include <algorithm>
#include <map>

#include "config/keys.h"
#include "config/mapping.h"
#include "config/names.h"
#include "config/sections.h"

namespace pointsman::config {
namespace {

constexpr std::size_t kLargestFile = std::size_t{4} << 20;
constexpr std::size_t kLargestSecretFile = std::size_t{64} << 10;

std::uint64_t Fingerprint(std::string_view text) {
  unsigned char sum[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), sum);
  std::uint64_t fingerprint = 0;
  for (int i = 0; i < 8; ++i) fingerprint = fingerprint << 8 | sum[i];
  return fingerprint;
}

// A node's content in one form: maps by their keys, scalars with their length. `but` is left out of maps that are
// `depth` maps deep.
void Canonical(const YAML::Node& node, std::string& out, const char* but = "", int depth = -1) {
  if (node.IsMap()) {
    std::map<std::string, YAML::Node> entries;
    for (const auto& entry : node) {
      if (depth != 0 || entry.first.Scalar() != but) entries.emplace(entry.first.Scalar(), entry.second);
    }
    out += '{';
    for (const auto& [key, value] : entries) {
      out += std::to_string(key.size()) + ':' + key;
      Canonical(value, out, but, depth - 1);
    }
    out += '}';
  } else if (node.IsSequence()) {
    out += '[';
    for (const auto& item : node) Canonical(item, out);
    out += ']';
  } else if (node.IsScalar()) {
    out += std::to_string(node.Scalar().size()) + ':' + node.Scalar();
  } else {
    out += '~';
  }
}

// The sections that an answer depends on. Of the engine it is the models alone, whose files the router looks at. What a
// policy says of the cache is no part: who may be given a kept answer is in its key, and how old it may be is asked
// then.
std::string AnswersText(const YAML::Node& root) {
  std::string text;
  constexpr std::string_view kPolicies = "policies";
  for (const char* name : {"experts", "classifier", "policies", "default_policy", "tenants"}) {
    text += name;
    if (const YAML::Node section = root[name]) Canonical(section, text, "cache", name == kPolicies ? 1 : -1);
  }
  return text;
}

// The one document of the text. Reports what is no YAML, and a second document.
std::optional<YAML::Node> Load(const std::string& text, Findings& findings) {
  try {
    std::vector<YAML::Node> documents = YAML::LoadAll(text);
    if (documents.empty() || documents[0].IsNull()) {
      findings.Add({1, 1}, "", "the file is empty (config/examples/embedded.yaml is a start)");
      return std::nullopt;
    }
    if (documents.size() > 1) {
      findings.Add(PlaceOf(documents[1].Mark()), "", "a second YAML document begins here (there may be one only)");
    }
    return documents[0];
  } catch (const YAML::Exception& error) {
    findings.Add(PlaceOf(error.mark), "", "is not YAML: " + error.msg);
    return std::nullopt;
  }
}

void ReadDefaultPolicy(const Value& value, bool policies_present, Config& config) {
  std::vector<std::string_view> names;
  for (const Policy& policy : config.policies) names.push_back(policy.name);
  if (auto name = value.Text(1, 256)) {
    config.default_policy = *name;
    if (std::find(names.begin(), names.end(), *name) == names.end()) {
      value.Fail("there is no policy " + Quote(*name) + " (" + Suggest(*name, names, "policies") + ")");
    }
    return;
  }
  if (names.size() == 1) config.default_policy = names[0];
  if (names.size() > 1 && policies_present && !value.present()) {
    value.Fail("is missing (there are several policies: name the one for requests that name none)");
  }
}

// `sums` gets the SHA-256 of files whose content is configuration.
void ReadAll(const Value& root, const SecretSources& secrets, Config& config, std::string& sums) {
  const std::filesystem::path& folder = secrets.folder;
  Section section(root);
  ReadServer(section.Take("server"), folder, config.server);
  ReadEngine(section.Take("engine"), folder, config.engine);

  const Value experts = section.Require("experts", "who can answer");
  ReadExperts(experts, config.engine, secrets, config.experts);
  if (experts.IsMap() && config.experts.empty()) experts.Fail("is empty (name at least one expert)");
  ReadClassifier(section.Take("classifier"), config.engine, folder, config.classifier);

  std::vector<std::string_view> names;
  for (const Expert& expert : config.experts) names.push_back(expert.name);
  const Value policies = section.Require("policies", "who is asked for what");
  ReadPolicies(policies, names, config.experts, folder, config.policies, sums);
  if (policies.IsMap() && config.policies.empty()) policies.Fail("is empty (name at least one policy)");
  ReadDefaultPolicy(section.Take("default_policy"), policies.present(), config);

  const Value cache = section.Take("cache");
  ReadCache(cache, secrets, config.cache);
  if (!cache.present()) CheckPolicyCaches(policies, config.policies);
  ReadTenants(section.Take("tenants"), secrets, names, config.tenants);
  ReadLimits(section.Take("limits"), config.limits);
  ReadTelemetry(section.Take("telemetry"), config.telemetry);
  section.Finish(true);
}

}  // namespace

Parsed ParseText(std::string_view text, const std::filesystem::path& file, const ParseOptions& options) {
  Findings findings{file.string(), {}, {}};
  auto config = std::make_shared<Config>();
  config->file = file;
  std::string sums;
  if (auto document = Load(std::string(text), findings)) {
    SecretSources secrets;
    secrets.environment = options.environment;
    secrets.read_file = [](const std::filesystem::path& path) { return ReadWholeFile(path, kLargestSecretFile); };
    secrets.folder = std::filesystem::absolute(file).parent_path();
    secrets.required = options.require_secrets;
    try {
      ReadAll(Value(&findings, "", "", {1, 1}, *document), secrets, *config, sums);
      if (findings.problems.empty()) config->answers_fingerprint = Fingerprint(AnswersText(*document) + sums);
    } catch (const YAML::Exception& error) {
      findings.Add(PlaceOf(error.mark), "", "is not YAML: " + error.msg);
    }
  }
  Parsed parsed;
  if (findings.problems.empty()) {
    config->fingerprint = Fingerprint(std::string(text) + sums);
    config->places = std::move(findings.places);
    parsed.config = std::move(config);
  } else {
    std::stable_sort(findings.problems.begin(), findings.problems.end(),
                     [](const Problem& a, const Problem& b) { return a.place < b.place; });
    parsed.problems = std::move(findings.problems);
  }
  return parsed;
}

Parsed Parse(const std::filesystem::path& file, const ParseOptions& options) {
  auto text = ReadWholeFile(file, kLargestFile);
  if (!text) return {nullptr, {{file.string(), {}, "", text.error().message}}};
  return ParseText(*text, file, options);
}

}  // namespace pointsman::config
