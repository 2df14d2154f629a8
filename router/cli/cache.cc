#include "router/cli/cache.h"

#include "router/cli/cache_purge.h"
#include "router/cli/cache_tune.h"

namespace pointsman::cli {

void RegisterCache(CLI::App& app, int& exit_code) {
  CLI::App* group = app.add_subcommand("cache", "The response cache: forget answers, learn which questions are alike");
  group->require_subcommand(1);
  RegisterCachePurge(*group, exit_code);
  RegisterCacheTune(*group, exit_code);
}

}  // namespace pointsman::cli
