// router/cli/cache_purge.h: `pointsman cache purge`: makes servers forget answers.
#pragma once

#include <CLI/CLI.hpp>

namespace pointsman::cli {

// Adds the subcommand to the group `cache`.
void RegisterCachePurge(CLI::App& group, int& exit_code);

}  // namespace pointsman::cli
