#include <CLI/CLI.hpp>

#include "router/cli/engine.h"

int main(int argc, char** argv) {
  CLI::App app("Pointsman");
  app.require_subcommand(1);
  int exit_code = 0;
  pointsman::cli::RegisterEngine(app, exit_code);
  CLI11_PARSE(app, argc, argv);
  return exit_code;
}
