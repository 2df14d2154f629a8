// The section policies.
#include "config/map_file.h"
#include "config/policy_parts.h"
#include "config/sections.h"

namespace pointsman::config {
namespace {

void ReadPolicy(const Value& value, std::span<const std::string_view> experts, std::span<const Expert> catalogue,
                const std::filesystem::path& folder, Policy& policy, std::string& sums) {
  Section section(value);
  PolicyReader reader = {value, section, experts, catalogue, folder, sums};
  ReadScore(reader, policy.score);
  const std::string run = section.Take("run").Choice({"single", "cascade", "ensemble"}).value_or("single");
  ReadSelection(reader, run, policy.select);
  ReadMask(section.Take("deny"), section.Take("require"), section.Take("boost"), experts, policy.mask);
  ReadBudget(section.Take("budget"), catalogue, policy.budget);
  policy.otherwise = ReadExpertName(section.Take("otherwise"), experts);
  ReadRun(reader, run, policy);
  ReadPolicyCache(section.Take("cache"), folder, policy.cache);
  section.Finish();
}

}  // namespace

void ReadPolicies(const Value& value, std::span<const std::string_view> experts, std::span<const Expert> catalogue,
                  const std::filesystem::path& folder, std::vector<Policy>& policies, std::string& sums) {
  constexpr std::size_t kMost = 100;  // metric labels are bounded by it
  for (const auto& [name, entry] : value.Entries("a policy", true)) {
    if (policies.size() == kMost) {
      value.Fail("has more than " + std::to_string(kMost) + " policies");
      return;
    }
    Policy& policy = policies.emplace_back();
    policy.name = name;
    ReadPolicy(entry, experts, catalogue, folder, policy, sums);
  }
}

}  // namespace pointsman::config
