// tests/support/command.h: the command line, called as a user calls it.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace pointsman::testing {

struct CommandOutcome {
  int exit_code = 0;
  std::string out, err;
};

using RegisterCommand = void (*)(CLI::App& app, int& exit_code);

// Runs `pointsman ARGUMENTS...` in this process, with these commands registered, and keeps what it prints.
CommandOutcome CallCommand(const std::vector<RegisterCommand>& commands, std::vector<std::string> arguments);

}  // namespace pointsman::testing
