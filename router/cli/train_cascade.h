// router/cli/train_cascade.h: `pointsman train cascade`.
#pragma once

namespace CLI {
class App;
}

namespace pointsman::cli {

// Adds the subcommand `cascade` to the group `train`, as RegisterTrain does.
void RegisterTrainCascade(CLI::App& group, int& exit_code);

}  // namespace pointsman::cli
