// router/cli/ask.h: the subcommands that ask a running server: ask and route.
#pragma once

#include <CLI/CLI.hpp>

namespace pointsman::cli {

// Add the subcommand; when it is chosen, it runs and sets `exit_code`: 0 = answered, 1 = the server refused or failed.
void RegisterAsk(CLI::App& app, int& exit_code);
void RegisterRoute(CLI::App& app, int& exit_code);

}  // namespace pointsman::cli
