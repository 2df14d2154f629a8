// router/cli/cache.h: `pointsman cache`.
#pragma once

#include <CLI/CLI.hpp>

namespace pointsman::cli {

// Adds the group of subcommands; as RegisterMap (map.h).
void RegisterCache(CLI::App& app, int& exit_code);

}  // namespace pointsman::cli
