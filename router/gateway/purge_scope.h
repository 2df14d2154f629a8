// router/gateway/purge_scope.h: what a PurgeCacheRequest asks to be forgotten.
#pragma once

#include <string>
#include <vector>

#include "pointsman/v1/admin.pb.h"
#include "router/cache/purge.h"
#include "router/cache/redis_cache.h"
#include "router/gateway/status.h"
#include "router/pipeline/services.h"

namespace pointsman::gateway {

struct PurgeScope {
  cache::Purge purge;
  std::vector<cache::Place> places;  // of a request: where its answer would lie in Redis
  std::vector<std::string> warnings;
};

// Everything that is wrong; empty = `scope` is what the request says. Any thread.
std::vector<FieldViolation> ReadScope(const v1::PurgeCacheRequest& request, const pipeline::Services& services,
                                      PurgeScope& scope);

}  // namespace pointsman::gateway
