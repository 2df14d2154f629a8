// The section tenants.
#include <map>

#include "config/mapping.h"
#include "config/policy_parts.h"
#include "config/sections.h"

namespace pointsman::config {

void ReadTenants(const Value& value, const SecretSources& secrets, std::span<const std::string_view> experts,
                 std::vector<Tenant>& tenants) {
  constexpr std::size_t kMost = 10'000;
  if (value.IsMap() && value.node().size() == 0) {
    value.Fail("is empty: nobody could ask (name a tenant, or remove it: without tenants no key is asked for)");
  }
  std::map<std::string, std::string> holders;  // key to the first tenant that has it
  for (const auto& [name, entry] : value.Entries("a tenant", true)) {
    if (tenants.size() == kMost) {
      value.Fail("has more than " + std::to_string(kMost) + " tenants");
      return;
    }
    Tenant& tenant = tenants.emplace_back();
    tenant.name = name;
    Section section(entry);
    const Value key = section.Require("key", "how the tenant is known, {env: NAME} or {file: PATH}");
    if (auto secret = ReadSecret(key, secrets)) {
      tenant.key = std::move(secret->value);
      tenant.key_source = std::move(secret->source);
      if (!tenant.key.empty()) {
        auto [holder, added] = holders.try_emplace(tenant.key, name);
        if (!added) key.Fail("is also the key of the tenant " + holder->second + " (every tenant needs its own)");
      }
    }
    Set(tenant.admin, section.Take("admin").Bool());
    ReadMask(section.Take("deny"), section.Take("require"), section.Take("boost"), experts, tenant.mask);
    section.Finish();
  }
}

}  // namespace pointsman::config
