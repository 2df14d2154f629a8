// router/cli/place.h: `pointsman place`: which host should run which local expert.
#pragma once

#include <CLI/CLI.hpp>

namespace pointsman::cli {

// Adds the subcommand; as RegisterMap (map.h).
void RegisterPlace(CLI::App& app, int& exit_code);

}  // namespace pointsman::cli
