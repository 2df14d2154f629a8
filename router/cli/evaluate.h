// router/cli/evaluate.h: `pointsman evaluate KIND`: routing rules measured on rows that they were not learnt from.
#pragma once

#include <CLI/CLI.hpp>

namespace pointsman::cli {

// Adds the group `evaluate`. A kind, when chosen, runs in the parse and sets `exit_code`: 0, or 1 with the error on
// standard error. `exit_code` must outlive the parse.
void RegisterEvaluate(CLI::App& app, int& exit_code);

// The kinds, each in its own file (evaluate_KIND.cc); they are added to the group.
void RegisterEvaluateCache(CLI::App& group, int& exit_code);
void RegisterEvaluateCascade(CLI::App& group, int& exit_code);
void RegisterEvaluateClassifier(CLI::App& group, int& exit_code);
void RegisterEvaluateGates(CLI::App& group, int& exit_code);
void RegisterEvaluateMap(CLI::App& group, int& exit_code);
void RegisterEvaluateAnswers(CLI::App& group, int& exit_code);
void RegisterEvaluatePair(CLI::App& group, int& exit_code);
void RegisterEvaluatePolicies(CLI::App& group, int& exit_code);

}  // namespace pointsman::cli
