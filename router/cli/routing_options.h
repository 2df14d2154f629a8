// router/cli/routing_options.h: the options of commands that learn routing from outcome rows and measure it on others.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "base/result.h"
#include "router/offline/routing_rows.h"

namespace pointsman::cli {

// What the command line says as text.
struct RoutingFlags {
  std::string train_h, test_h, embedding;
};

// Both must outlive the parse.
void AddRoutingOptions(CLI::App& command, offline::RoutingOptions& options, RoutingFlags& flags);

// After the parse: completes `options` from the flags.
Result<void> ReadRoutingFlags(const RoutingFlags& flags, offline::RoutingOptions& options);

}  // namespace pointsman::cli
