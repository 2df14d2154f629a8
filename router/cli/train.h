// router/cli/train.h: `pointsman train classifier`.
#pragma once

namespace CLI {
class App;
}

namespace pointsman::cli {

// Adds the subcommand `train` to `app`. When it is called, app.parse() runs it and sets `exit_code`: 0, or 1 with the
// error on stderr. `exit_code` must outlive the parse.
void RegisterTrain(CLI::App& app, int& exit_code);

}  // namespace pointsman::cli
