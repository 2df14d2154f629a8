#include "router/cli/evaluate.h"

namespace pointsman::cli {

void RegisterEvaluate(CLI::App& app, int& exit_code) {
  CLI::App* group = app.add_subcommand("evaluate", "measure routing rules on rows that they were not learnt from");
  group->require_subcommand(1);
  RegisterEvaluateCache(*group, exit_code);
  RegisterEvaluateCascade(*group, exit_code);
  RegisterEvaluateClassifier(*group, exit_code);
  RegisterEvaluateGates(*group, exit_code);
  RegisterEvaluateMap(*group, exit_code);
  RegisterEvaluateAnswers(*group, exit_code);
  RegisterEvaluatePair(*group, exit_code);
  RegisterEvaluatePolicies(*group, exit_code);
}

}  // namespace pointsman::cli
