// router/cli/map.h: `pointsman map`: the best category-to-expert map within limits, from outcome rows.
#pragma once

#include <CLI/CLI.hpp>

namespace pointsman::cli {

// Adds the subcommand; when it is chosen, it runs in the parse and sets `exit_code`: 0, or 1 with the error on standard
// error. `exit_code` must outlive the parse.
void RegisterMap(CLI::App& app, int& exit_code);

}  // namespace pointsman::cli
