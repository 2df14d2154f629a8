#include "router/gateway/purge_scope.h"

#include <algorithm>
#include <utility>

#include "router/admission/admission.h"
#include "router/gateway/validate.h"

namespace pointsman::gateway {
namespace {

// "": not said. Without tenants there is one.
std::string TenantOf(const v1::PurgeCacheRequest& request, const config::Config& config) {
  const bool implied = request.tenant().empty() && request.has_request() && config.tenants.empty();
  return implied ? admission::kDefaultTenant : request.tenant();
}

bool Known(const config::Config& config, const std::string& tenant) {
  if (config.tenants.empty()) return tenant == admission::kDefaultTenant;
  return std::any_of(config.tenants.begin(), config.tenants.end(),
                     [&](const config::Tenant& each) { return each.name == tenant; });
}

// The answer to a request, whichever way it was put: naming the default policy or none; and whether or not sampled
// answers were allowed.
void AddRequest(const v1::CompleteRequest& asked, const std::string& tenant, const pipeline::Services& services,
                PurgeScope& scope) {
  const std::string& by_default = services.snapshot->config->default_policy;
  const std::string& named = asked.routing().policy();
  std::vector<std::string> names = {named};
  if (asked.routing().expert().empty() && named.empty()) names.push_back(by_default);
  if (named == by_default) names.emplace_back();
  const std::string& policy = named.empty() ? by_default : named;
  for (const std::string& name : names) {
    v1::CompleteRequest form = asked;
    form.mutable_routing()->set_policy(name);
    form.mutable_routing()->mutable_cache()->set_cacheable(false);
    for (const bool sampled : {false, true}) {
      cache::Place place;
      place.subject.question = cache::HashQuestion(services.cache_secret, tenant, form, sampled);
      place.subject.tags = {cache::TenantTag(services.cache_secret, tenant),
                            cache::PolicyTag(services.cache_secret, policy)};
      place.key = cache::VersionKey(place.subject.question, services.snapshot->answers);
      scope.purge.questions.push_back(place.subject.question);
      scope.places.push_back(place);
    }
  }
}

}  // namespace

std::vector<FieldViolation> ReadScope(const v1::PurgeCacheRequest& request, const pipeline::Services& services,
                                      PurgeScope& scope) {
  const config::Config& config = *services.snapshot->config;
  const std::string tenant = TenantOf(request, config);
  const bool some = !tenant.empty() || !request.policy().empty() || request.has_request();
  std::vector<FieldViolation> violations;
  if (!some && !request.everything()) {
    violations.push_back({"", "says not what to forget (a tenant, a policy, a request, or everything)"});
  }
  if (some && request.everything()) {
    violations.push_back({"everything", "excludes the others (it takes all answers of all tenants)"});
  }
  if (request.has_request()) {
    if (tenant.empty()) violations.push_back({"tenant", "is missing (whose answer to the request?)"});
    if (!request.policy().empty()) violations.push_back({"policy", "excludes a request (it has one: routing.policy)"});
    for (FieldViolation& violation : Validate(request.request())) {
      violations.push_back({"request." + violation.field, std::move(violation.description)});
    }
    const std::string& policy = request.request().routing().policy();
    if (!policy.empty() && config.FindPolicy(policy) == nullptr) {
      violations.push_back({"request.routing.policy", "unknown policy '" + policy + "'"});
    }
  }
  if (!violations.empty()) return violations;

  if (!tenant.empty()) scope.purge.tenant = cache::TenantTag(services.cache_secret, tenant);
  if (!request.policy().empty()) scope.purge.policy = cache::PolicyTag(services.cache_secret, request.policy());
  if (request.has_request()) AddRequest(request.request(), tenant, services, scope);
  // Those of an earlier configuration can still lie in Redis.
  if (!tenant.empty() && !Known(config, tenant)) {
    scope.warnings.push_back("the configuration has no tenant '" + tenant + "'");
  }
  if (!request.policy().empty() && config.FindPolicy(request.policy()) == nullptr) {
    scope.warnings.push_back("the configuration has no policy '" + request.policy() + "'");
  }
  return {};
}

}  // namespace pointsman::gateway
