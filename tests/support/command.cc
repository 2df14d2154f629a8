#include "tests/support/command.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace pointsman::testing {

CommandOutcome CallCommand(const std::vector<RegisterCommand>& commands, std::vector<std::string> arguments) {
  CLI::App app("test", "pointsman");
  CommandOutcome outcome;
  for (const RegisterCommand command : commands) command(app, outcome.exit_code);
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants a vector
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  try {
    app.parse(arguments);
  } catch (const CLI::ParseError& error) {
    outcome.exit_code = app.exit(error);
  }
  outcome.out = ::testing::internal::GetCapturedStdout();
  outcome.err = ::testing::internal::GetCapturedStderr();
  return outcome;
}

}  // namespace pointsman::testing
