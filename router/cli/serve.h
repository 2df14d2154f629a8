// router/cli/serve.h: the subcommands that read a configuration: serve and check.
#pragma once

#include <CLI/CLI.hpp>

namespace pointsman::cli {

// `pointsman serve`: runs until SIGINT or SIGTERM. Sets `exit_code`: 0 = stopped as asked, 1 = could not start.
void RegisterServe(CLI::App& app, int& exit_code);

// `pointsman check`: everything that is wrong with a configuration. Sets `exit_code`: 0 = nothing, 1 = something.
void RegisterCheck(CLI::App& app, int& exit_code);

}  // namespace pointsman::cli
