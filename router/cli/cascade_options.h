// router/cli/cascade_options.h: what `train cascade` and `evaluate cascade` ask alike.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "base/result.h"
#include "router/offline/cascade_rows.h"

namespace pointsman::cli {

struct CascadeFlags {
  std::string signals, classifier;  // "" = not given
};

// Adds --weak, --strong, --signals, --label, --classifier and --text. Both outlive the parse.
void AddCascadeOptions(CLI::App& command, offline::CascadeRowOptions& rows, CascadeFlags& flags);

// Puts what was given into `rows`; loads the classifier. Errors say what is wrong with a flag.
Result<void> Apply(const CascadeFlags& flags, offline::CascadeRowOptions& rows);

}  // namespace pointsman::cli
