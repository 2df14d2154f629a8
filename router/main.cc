// The command line: one binary, one subcommand for each job (docs/command-line.md).
#include <CLI/CLI.hpp>

#include "router/cli/ask.h"
#include "router/cli/cache.h"
#include "router/cli/engine.h"
#include "router/cli/evaluate.h"
#include "router/cli/map.h"
#include "router/cli/place.h"
#include "router/cli/serve.h"
#include "router/cli/train.h"
#include "router/version.h"

int main(int argc, char** argv) {
  CLI::App app("Pointsman: one gRPC endpoint in front of many language models");
  app.set_version_flag("--version", pointsman::kVersion);
  app.require_subcommand(1);
  app.footer("`pointsman COMMAND --help` says more, with an example.");
  int exit_code = 0;
  pointsman::cli::RegisterServe(app, exit_code);
  pointsman::cli::RegisterCheck(app, exit_code);
  pointsman::cli::RegisterAsk(app, exit_code);
  pointsman::cli::RegisterRoute(app, exit_code);
  pointsman::cli::RegisterCache(app, exit_code);
  pointsman::cli::RegisterTrain(app, exit_code);
  pointsman::cli::RegisterMap(app, exit_code);
  pointsman::cli::RegisterPlace(app, exit_code);
  pointsman::cli::RegisterEvaluate(app, exit_code);
  pointsman::cli::RegisterEngine(app, exit_code);
  CLI11_PARSE(app, argc, argv);
  return exit_code;
}
