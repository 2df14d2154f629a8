#include "router/cli/cache.h"

#include <CLI/CLI.hpp>

#include "router/cli/cache_tune.h"

namespace pointsman::cli {

void RegisterCache(CLI::App& app, int& exit_code) {
  CLI::App* group = app.add_subcommand("cache", "the response cache: make it find like questions");
  group->require_subcommand(1);
  RegisterCacheTune(*group, exit_code);
}

}  // namespace pointsman::cli
