// The section `cache` of a policy.
#include "config/policy_parts.h"
#include "config/sections.h"

namespace pointsman::config {

namespace {

void ReadSemantic(const Value& value, const std::filesystem::path& folder, SemanticCache& semantic) {
  Section section(value);
  const Value matcher = section.Require("matcher", "the file that tells like questions; see pointsman cache tune");
  if (auto file = matcher.Text(1, 4096)) semantic.matcher = Resolve(folder, *file);
  Set(semantic.precision, section.Take("precision").Real({0.5, 0.9999}));
  Set(semantic.audit, section.Take("audit").Real({0, 1}));
  Set(semantic.questions, section.Take("questions").Number<std::uint64_t>(16, 10'000'000, "questions"));
  Set(semantic.conversations, section.Take("conversations").Bool());
  section.Finish();
}

}  // namespace

void ReadPolicyCache(const Value& value, const std::filesystem::path& folder, PolicyCache& cache) {
  if (value.IsScalar()) {
    cache.off = value.Text(1, 256) == "off";
    if (!cache.off) value.Fail("must be off, or a map: {ttl: 10m, sampled: true}");
    return;
  }
  Section section(value);
  if (auto ttl = section.Take("ttl").Duration(kShortestTtl, kLongestTtl)) {
    cache.ttl = std::chrono::ceil<std::chrono::seconds>(*ttl);
  }
  Set(cache.sampled, section.Take("sampled").Bool());
  const Value semantic = section.Take("semantic");
  if (semantic.present()) ReadSemantic(semantic, folder, cache.semantic.emplace());
  section.Finish();
}

void CheckPolicyCaches(const Value& policies, const std::vector<Policy>& read) {
  Findings& findings = *policies.findings();
  for (const Policy& policy : read) {
    const std::string path = policies.path() + "." + policy.name + ".cache";
    const auto place = findings.places.find(path);
    if (place == findings.places.end()) continue;
    findings.Add(place->second, path, "has no effect without a section \"cache\" (give it memory or redis)");
  }
}

}  // namespace pointsman::config
