// router/cli/engine.h: `pointsman engine`: the worker process, and what one needs to prepare and measure its models.
#pragma once

#include <CLI/CLI.hpp>

namespace pointsman::cli {

// Adds the subcommand `engine`. When it is chosen, parsing runs it and sets `exit_code`.
void RegisterEngine(CLI::App& app, int& exit_code);

}  // namespace pointsman::cli
