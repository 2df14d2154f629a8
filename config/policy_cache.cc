// The section `cache` of a policy.
#include "config/policy_parts.h"
#include "config/sections.h"

namespace pointsman::config {

void ReadPolicyCache(const Value& value, PolicyCache& cache) {
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
